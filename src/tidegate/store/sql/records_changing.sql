-- These Records are one change's until that ends: no Sync writes to them meanwhile, and nobody decides about them.
-- Parameters: operation, records. Locks: the caller holds the Records. Rows: one a Record.
UPDATE record SET changing_operation_id = %(operation)s WHERE id = ANY(%(records)s::bigint[])
