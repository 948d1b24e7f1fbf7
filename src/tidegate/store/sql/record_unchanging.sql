-- The change is done with this Record: it is everybody's again.
-- Parameters: record, operation. Locks: the caller holds the Record. Rows: one, or none where it was already.
UPDATE record SET changing_operation_id = NULL WHERE id = %(record)s AND changing_operation_id = %(operation)s
