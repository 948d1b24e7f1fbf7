-- Too many VEPs are gone at once to be believed: their absence is held for a person. Each complete Discover renews it.
-- Parameters: connection, operation, no_product. Locks: none. Rows: one an absence.
INSERT INTO held_absence (record_id, connection_id, since_operation_id, latest_operation_id)
SELECT id, connection_id, %(operation)s, %(operation)s
  FROM record
 WHERE connection_id = %(connection)s AND deleted_at IS NULL AND absent_since IS NULL
   AND vendor_id <> %(no_product)s
   AND NOT EXISTS (SELECT FROM staged_vep WHERE staged_vep.vendor_id = record.vendor_id)
    ON CONFLICT (record_id) DO UPDATE SET latest_operation_id = excluded.latest_operation_id
