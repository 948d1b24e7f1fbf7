-- The fence: every applying transaction begins by holding its Operation, so that a take-over waits for it.
-- Parameters: operation. Locks: the Operation, shared. Rows: one.
SELECT * FROM operation WHERE id = %(operation)s FOR SHARE
