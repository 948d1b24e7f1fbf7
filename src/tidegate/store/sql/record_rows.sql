-- These Records as lists show them: each with its Connection, where it flows, what its sentences need to know of the past,
-- and which file manages it. Where it flows is looked up by itself: to weigh the order of eight tables that follow from
-- each other takes a planner longer than to read a page of them.
-- Parameters: ids. Locks: none. Rows: one a Record that is there, in no order.
SELECT record.id, record.connection_id, record.vendor_id, record.name, record.parent, record.url, record.decision,
       record.hands_off, record.ignored_because, record.changing_operation_id, record.epoch, record.feed_id,
       record.finalized_at, record.finalized_by, record.finalized_how, record.earlier_product_name, record.earlier_product_id,
       record.first_seen_at, record.first_seen_operation_id, record.absent_since, record.absent_operation_id,
       record.target_lost_at, record.target_lost, record.deleted_at,
       connection.label AS connection, connection.tool, connection.deleted_at AS connection_deleted_at,
       place.test_id, place.product_id, place.product,
       (SELECT name FROM product WHERE product.id = record.earlier_product_id) AS earlier_product,
       (SELECT (counts ->> 'seen')::bigint FROM operation WHERE operation.id = record.absent_operation_id) AS absent_seen,
       (SELECT source FROM managed WHERE managed.kind = 'mapping' AND managed.thing_id = record.id LIMIT 1) AS file
  FROM record
  JOIN connection ON connection.id = record.connection_id
  LEFT JOIN LATERAL (
    SELECT feed.test_id, product.id AS product_id, product.name AS product
      FROM feed
      JOIN test ON test.id = feed.test_id
      JOIN engagement ON engagement.id = test.engagement_id
      JOIN product ON product.id = engagement.product_id
     WHERE feed.id = record.feed_id
    OFFSET 0
  ) AS place ON true
 WHERE record.id = ANY (%(ids)s::bigint[]) AND record.deleted_at IS NULL AND connection.deleted_at IS NULL
