-- These wait no longer.
-- Parameters: due. Locks: these rows. Rows: one a thing that waited.
DELETE FROM words_due WHERE id = ANY (%(due)s::bigint[])
