-- The change is over: its Records are everybody's again.
-- Parameters: operation. Locks: these Records. Rows: one a Record.
UPDATE record SET changing_operation_id = NULL WHERE changing_operation_id = %(operation)s
