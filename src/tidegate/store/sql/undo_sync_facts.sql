-- What an undo of a Sync must know of each Record that the Sync has a result for, or of these alone: what it left, what
-- was applied later, and where the Record writes now.
-- Parameters: sync, records (null for all). Locks: the caller holds the Records where it matters. Rows: one a Record.
SELECT record.id AS record, record.name, result.outcome, result.feed_id AS feed, result.undone_by,
       later.operation_id AS later, later.undone_by AS later_undone_by, record.feed_id AS writes_to,
       product.name AS product, record.decision, record.target_lost, record.deleted_at IS NOT NULL AS deleted,
       connection.deleted_at IS NOT NULL AS connection_deleted, record.changing_operation_id AS changing
  FROM result
  JOIN record ON record.id = result.record_id
  JOIN connection ON connection.id = record.connection_id
  LEFT JOIN feed ON feed.id = record.feed_id
  LEFT JOIN test ON test.id = feed.test_id
  LEFT JOIN engagement ON engagement.id = test.engagement_id
  LEFT JOIN product ON product.id = engagement.product_id
  LEFT JOIN LATERAL (
    SELECT after.operation_id, after.undone_by
      FROM result AS after
      JOIN operation ON operation.id = after.operation_id
     WHERE after.record_id = record.id AND after.operation_id > result.operation_id AND after.family = ''
       AND operation.type = 'sync' AND NOT operation.preview
       AND (after.feed_id IS NOT NULL OR after.outcome NOT IN ('failed', 'dropped'))
     ORDER BY after.operation_id DESC
     LIMIT 1
  ) AS later ON true
 WHERE result.operation_id = %(sync)s AND result.family = '' AND result.branch = ''
   AND record.id = ANY(coalesce(%(records)s::bigint[], ARRAY[record.id]))
 ORDER BY record.id
