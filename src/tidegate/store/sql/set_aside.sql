-- Sets one odd row aside.
-- Parameters by place: operation, connection, record, family, branch, vendor key, reason, raw. Locks: none. Rows: one.
INSERT INTO quarantine (operation_id, connection_id, record_id, family, branch, vendor_key, reason, raw)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
