-- The Records that write into a Product, an Engagement or a Test.
-- Parameters: product, engagement, test (one of them, the others null). Locks: none. Rows: one a Record, by id.
SELECT record.id
  FROM record
  JOIN feed ON feed.id = record.feed_id
  JOIN test ON test.id = feed.test_id
  JOIN engagement ON engagement.id = test.engagement_id
 WHERE engagement.product_id = %(product)s::bigint
    OR engagement.id = %(engagement)s::bigint
    OR test.id = %(test)s::bigint
 ORDER BY record.id
