-- What is gone waits for the Operation's verdict; what was held before stays held and is renewed.
-- Parameters: feed, operation, actor. Locks: the caller holds the Record. Rows: one a finding that is gone.
INSERT INTO held (finding_id, feed_id, since_operation, latest_operation, last_seen_at, standing)
SELECT compared.finding_id, %(feed)s, %(operation)s, %(operation)s, part.proven_at, 'pending'
  FROM compared
  JOIN staged_part USING (part)
  LEFT JOIN part ON part.feed_id = %(feed)s AND part.family = staged_part.family AND part.branch = staged_part.branch
 WHERE compared.kind = 7
    ON CONFLICT (finding_id) DO UPDATE SET latest_operation = excluded.latest_operation
