-- Locks all Records of a Connection; a Sync that applies meanwhile looks again at what it may do.
-- Parameters: connection. Locks: these Records, by id. Rows: one.
WITH locked AS MATERIALIZED (
    SELECT id FROM record WHERE connection_id = %(connection)s ORDER BY id FOR UPDATE
)
SELECT count(*) AS locked FROM locked
