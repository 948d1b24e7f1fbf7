-- Where a Test of ours goes: of the routes that match it its Connection's wins, then its Product Type's, then the one for
-- whatever no other takes. A row for each Test that a route takes; whether that Destination is on is for whoever asks.
CREATE VIEW test_destination AS
SELECT test.id AS test_id, test.connection_id, taken.destination_id
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
 ) AS taken;
