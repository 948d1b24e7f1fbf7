-- Removes the Products that a step made and that are still as empty as it made them: nothing flows into them, nothing is
-- in them but our own Engagement with empty Tests, and no Record remembers them.
-- Parameters: made_at (the time of the step's transaction). Locks: the caller holds the Records. Rows: one a Product.
DELETE FROM product
 WHERE created_at = ANY(%(made_at)s::timestamptz[])
   AND NOT EXISTS (SELECT FROM record WHERE record.earlier_product_id = product.id)
   AND NOT EXISTS (SELECT FROM engagement WHERE engagement.product_id = product.id AND engagement.kind <> 'connectors')
   AND NOT EXISTS (
       SELECT FROM engagement
         JOIN test ON test.engagement_id = engagement.id
        WHERE engagement.product_id = product.id AND test.connection_id IS NULL
   )
   AND NOT EXISTS (
       SELECT FROM engagement
         JOIN test ON test.engagement_id = engagement.id
         JOIN feed ON feed.test_id = test.id
        WHERE engagement.product_id = product.id
          AND (EXISTS (SELECT FROM record WHERE record.feed_id = feed.id)
               OR EXISTS (SELECT FROM tally WHERE tally.feed_id = feed.id AND tally.n > 0))
   )
