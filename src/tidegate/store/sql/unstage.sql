-- What was read of parts that count as not read after all goes again.
-- Parameters: parts. Locks: none. Rows: as many as were read of them.
DELETE FROM staged WHERE part = ANY(%(parts)s::smallint[])
