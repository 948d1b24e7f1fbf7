-- The home of findings that belong to no product, once one of them was seen: made, or back where somebody deleted it.
-- Parameters: connection, no_product, operation. Locks: that Record. Rows: one, where it is new or back.
INSERT INTO record (connection_id, vendor_id, name, url, parent, attributes, first_seen_operation_id)
VALUES (%(connection)s, %(no_product)s, %(no_product)s, NULL, '', '{}', %(operation)s)
    ON CONFLICT (connection_id, vendor_id) DO UPDATE
   SET deleted_at = NULL, absent_since = NULL, absent_operation_id = NULL
 WHERE record.deleted_at IS NOT NULL
RETURNING id
