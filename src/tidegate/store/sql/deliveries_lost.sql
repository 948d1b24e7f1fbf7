-- Tests of ours of which what they are delivered into is gone at their Destination, where that is on and a route leads there
-- still.
-- Parameters: none. Locks: none. Rows: one a Test.
SELECT there.test_id, there.lost, there.lost_at, destination.name AS destination
  FROM delivered_test AS there
  JOIN destination ON destination.id = there.destination_id AND destination.off_at IS NULL
  JOIN test_destination AS goes ON goes.test_id = there.test_id AND goes.destination_id = there.destination_id
 WHERE there.lost_at IS NOT NULL
 ORDER BY there.test_id
