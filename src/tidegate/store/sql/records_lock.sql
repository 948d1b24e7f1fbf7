-- Locks Records, and says what they are once they are locked. Deleted ones and those of deleted Connections are there too.
-- Parameters: records. Locks: these Records, by id. Rows: one a Record.
WITH locked AS MATERIALIZED (
    SELECT id FROM record WHERE id = ANY(%(records)s::bigint[]) ORDER BY id FOR UPDATE
)
SELECT count(*) AS locked FROM locked
