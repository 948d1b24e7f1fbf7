-- What a decision on Records must know of each.
-- Parameters: records. Locks: the caller holds the Records. Rows: one a Record, by id.
SELECT record.id, record.name, record.parent, record.connection_id, connection.label AS connection_label,
       connection.deleted_at IS NOT NULL AS connection_deleted, record.decision, record.feed_id, test.id AS test_id,
       product.id AS product_id, product.name AS product_name, record.finalized_at, record.finalized_by,
       record.hands_off, record.earlier_product_id, record.earlier_product_name, record.target_lost, record.epoch,
       record.deleted_at, record.changing_operation_id
  FROM record
  JOIN connection ON connection.id = record.connection_id
  LEFT JOIN feed ON feed.id = record.feed_id
  LEFT JOIN test ON test.id = feed.test_id
  LEFT JOIN engagement ON engagement.id = test.engagement_id
  LEFT JOIN product ON product.id = engagement.product_id
 WHERE record.id = ANY(%(records)s::bigint[])
 ORDER BY record.id
