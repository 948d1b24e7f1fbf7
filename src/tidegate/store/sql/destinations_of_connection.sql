-- The Destinations, of those that are on, to which something goes that a Connection brought.
-- Parameters: connection. Locks: none. Rows: one a Destination.
SELECT DISTINCT destination.id
  FROM test_destination AS goes
  JOIN destination ON destination.id = goes.destination_id
 WHERE goes.connection_id = %(connection)s AND destination.off_at IS NULL
 ORDER BY destination.id
