-- Deletes these previews, with what is left of what hangs on them. A preview writes nothing that could name it.
-- Parameters: operations. Locks: these Operations. Rows: one a preview.
DELETE FROM operation WHERE id = ANY(%(operations)s::bigint[]) AND preview
