-- What is gone waits for the Operation's verdict; what was held before stays held and is renewed. Where a person undid
-- a closing once, the next one is held at once, for whichever reason it comes.
-- Parameters: feed, operation, actor. Locks: the caller holds the Record. Rows: one a closing that waits.
INSERT INTO held (finding_id, feed_id, since_operation, latest_operation, last_seen_at, standing, because, undone)
SELECT compared.finding_id, %(feed)s, %(operation)s, %(operation)s, part.proven_at,
       CASE WHEN compared.kind = 7 THEN 'pending' ELSE 'held' END,
       CASE compared.kind WHEN 13 THEN 'fixed' WHEN 14 THEN 'threshold' ELSE staged_part.because END,
       compared.kind <> 7
  FROM compared
  JOIN staged_part USING (part)
  LEFT JOIN part ON part.feed_id = %(feed)s AND part.family = staged_part.family AND part.branch = staged_part.branch
 WHERE compared.kind IN (7, 11, 13, 14)
    ON CONFLICT (finding_id) DO UPDATE
   SET since_operation = CASE
           WHEN held.undone AND held.standing = 'pending' THEN excluded.since_operation ELSE held.since_operation
       END,
       latest_operation = excluded.latest_operation,
       because = excluded.because,
       standing = CASE WHEN excluded.undone THEN 'held' ELSE held.standing END
