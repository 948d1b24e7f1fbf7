-- Records whose VEP a complete Discover no longer saw are absent from now on.
-- Parameters: connection, operation, no_product. Locks: these Records. Rows: one an absence.
UPDATE record
   SET absent_since = now(), absent_operation_id = %(operation)s
 WHERE connection_id = %(connection)s AND deleted_at IS NULL AND absent_since IS NULL
   AND vendor_id <> %(no_product)s
   AND NOT EXISTS (SELECT FROM staged_vep WHERE staged_vep.vendor_id = record.vendor_id)
