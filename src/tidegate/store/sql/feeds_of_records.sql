-- Every Feed of these Records.
-- Parameters: records. Locks: none. Rows: one a Feed.
SELECT record_id, test_id, id FROM feed WHERE record_id = ANY(%(records)s::bigint[])
