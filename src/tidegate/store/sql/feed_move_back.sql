-- Undoing a move: the Feed of a Record returns to the Test it came from.
-- Parameters: record, product (it came from). Locks: the caller holds the Record. Rows: one, or none if that Test is gone.
UPDATE feed
   SET test_id = test.id
  FROM record
  JOIN engagement ON engagement.product_id = %(product)s AND engagement.kind = 'connectors'
  JOIN test ON test.engagement_id = engagement.id AND test.connection_id = record.connection_id
 WHERE record.id = %(record)s AND feed.id = record.feed_id
