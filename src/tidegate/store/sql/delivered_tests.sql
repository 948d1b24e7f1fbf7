-- The Tests of a Connection that go to this Destination, as the view test_destination says: schema/0019.
-- Parameters: destination, connection. Locks: none. Rows: one a Test.
SELECT test_id
  FROM test_destination
 WHERE connection_id = %(connection)s AND destination_id = %(destination)s
 ORDER BY test_id
