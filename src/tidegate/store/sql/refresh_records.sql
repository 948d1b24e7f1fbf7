-- Names and attributes follow the vendor; deleted Records whose VEP still exists come back as New; absent ones are back.
-- Writes only where something differs. Parameters: connection. Locks: these Records. Rows: one a change.
UPDATE record
   SET name = CASE WHEN staged_vep.odd THEN record.name ELSE staged_vep.name END,
       url = CASE WHEN staged_vep.odd THEN record.url ELSE staged_vep.url END,
       parent = CASE WHEN staged_vep.odd THEN record.parent ELSE staged_vep.parent END,
       attributes = CASE WHEN staged_vep.odd THEN record.attributes ELSE staged_vep.attributes END,
       absent_since = NULL, absent_operation_id = NULL,
       deleted_at = CASE WHEN staged_vep.odd THEN record.deleted_at END
  FROM staged_vep, record AS before
 WHERE record.connection_id = %(connection)s
   AND before.id = record.id
   AND staged_vep.vendor_id = record.vendor_id
   AND (record.absent_since IS NOT NULL OR (NOT staged_vep.odd AND record.deleted_at IS NOT NULL)
        OR (NOT staged_vep.odd AND (record.name, record.url, record.parent, record.attributes)
            IS DISTINCT FROM (staged_vep.name, staged_vep.url, staged_vep.parent, staged_vep.attributes)))
RETURNING before.deleted_at IS NOT NULL AND record.deleted_at IS NULL AS revived, before.absent_since IS NOT NULL AS back,
          before.name <> record.name AS renamed, record.id, before.name, record.name
