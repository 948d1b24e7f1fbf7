-- The Feeds of some Tests, up to so many.
-- Parameters: tests, at_most. Locks: none. Rows: one; `ids` are their numbers.
SELECT ARRAY(SELECT id FROM feed WHERE test_id IN (SELECT unnest(%(tests)s::bigint[])) LIMIT %(at_most)s) AS ids
