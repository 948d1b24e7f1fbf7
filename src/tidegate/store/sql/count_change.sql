-- Notes what a change has done so far, with what it did: an Operation that ends early says it.
-- Parameters: operation, counts. Locks: the Operation. Rows: one.
UPDATE operation SET counts = %(counts)s::jsonb WHERE id = %(operation)s
