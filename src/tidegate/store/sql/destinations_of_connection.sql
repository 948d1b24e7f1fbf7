-- The Destinations, of those that are on, to which something goes that a Connection brought: route by route as
-- delivered_tests.sql chooses.
-- Parameters: connection. Locks: none. Rows: one a Destination.
SELECT DISTINCT destination.id
  FROM test
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
  JOIN destination ON destination.id = taken.destination_id
 WHERE test.connection_id = %(connection)s AND destination.off_at IS NULL
 ORDER BY destination.id
