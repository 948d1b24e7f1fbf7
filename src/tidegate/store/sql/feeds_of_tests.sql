-- The Feeds of some Tests, up to so many.
-- Parameters: tests, at_most. Locks: none. Rows: one a Feed.
SELECT id FROM feed WHERE test_id IN (SELECT unnest(%(tests)s::bigint[])) LIMIT %(at_most)s
