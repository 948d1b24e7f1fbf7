-- The Tests of a Connection that go to this Destination: of the routes that match a Test the Connection's wins, then its
-- Product Type's, then the one for whatever no other takes.
-- Parameters: destination, connection. Locks: none. Rows: one a Test.
SELECT test.id AS test_id
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
 WHERE test.connection_id = %(connection)s AND taken.destination_id = %(destination)s
 ORDER BY test.id
