-- A Sync that began before now compares again: what it read was asked for under other conditions.
-- Parameters: connection. Locks: the caller holds the Records. Rows: one a Record.
UPDATE record SET epoch = epoch + 1 WHERE connection_id = %(connection)s
