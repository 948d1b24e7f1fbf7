-- Removes Products that a step made, where they are still as empty as it made them: nothing flows into them, nothing is in
-- them but our own Engagement with empty Tests, and no Record remembers them. What speaks against it is gathered for all
-- at once, from a list whose length the planner sees: where it was asked Product by Product, and one was expected, all
-- Engagements were read for each of a hundred thousand.
-- Parameters: products. Locks: the caller holds the Records. Rows: one a Product.
WITH made AS (
    SELECT unnest(%(products)s::bigint[]) AS id
), inside AS MATERIALIZED (
    SELECT made.id, engagement.kind, test.id AS test_id, test.connection_id
      FROM made
      JOIN engagement ON engagement.product_id = made.id
      LEFT JOIN test ON test.engagement_id = engagement.id
), kept AS (
    SELECT made.id FROM made JOIN record ON record.earlier_product_id = made.id
     UNION ALL
    SELECT id FROM inside WHERE kind <> 'connectors' OR (test_id IS NOT NULL AND connection_id IS NULL)
     UNION ALL
    SELECT inside.id FROM inside JOIN feed ON feed.test_id = inside.test_id JOIN record ON record.feed_id = feed.id
     UNION ALL
    SELECT inside.id FROM inside JOIN feed ON feed.test_id = inside.test_id JOIN tally ON tally.feed_id = feed.id
     WHERE tally.n > 0
)
DELETE FROM product WHERE id IN (SELECT id FROM made EXCEPT SELECT id FROM kept)
