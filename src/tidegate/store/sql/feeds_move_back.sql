-- Undoing a move: the Feeds of Records return to the Tests they came from.
-- Parameters: records and products (each came from), pairwise. Locks: the caller holds the Records. Rows: the Records whose
-- Feed went back; not those whose Test is gone.
UPDATE feed
   SET test_id = test.id
  FROM unnest(%(records)s::bigint[], %(products)s::bigint[]) AS target (record_id, product_id)
  JOIN record ON record.id = target.record_id
  JOIN engagement ON engagement.product_id = target.product_id AND engagement.kind = 'connectors'
  JOIN test ON test.engagement_id = engagement.id AND test.connection_id = record.connection_id
 WHERE feed.id = record.feed_id
RETURNING feed.record_id
