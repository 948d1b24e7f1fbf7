-- Tests of ours of which what they are delivered into is gone at their Destination, where that is on and a route leads there
-- still: route by route as delivered_tests.sql chooses.
-- Parameters: none. Locks: none. Rows: one a Test.
SELECT there.test_id, there.lost, there.lost_at, destination.name AS destination
  FROM delivered_test AS there
  JOIN destination ON destination.id = there.destination_id AND destination.off_at IS NULL
  JOIN test ON test.id = there.test_id
  JOIN engagement ON engagement.id = test.engagement_id
  JOIN product ON product.id = engagement.product_id
 CROSS JOIN LATERAL (
    SELECT route.destination_id
      FROM destination_route AS route
     WHERE route.connection_id = test.connection_id
        OR route.product_type_id = product.product_type_id
        OR (route.connection_id IS NULL AND route.product_type_id IS NULL)
     ORDER BY route.connection_id IS NULL, route.product_type_id IS NULL
     LIMIT 1
 ) AS taken
 WHERE there.lost_at IS NOT NULL AND taken.destination_id = there.destination_id
 ORDER BY there.test_id
