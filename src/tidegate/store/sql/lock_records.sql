-- Locks the Records of a Connection that this Discover may change, in the order every writer uses.
-- Parameters: connection. Locks: these Records. Rows: none.
SELECT count(*) FROM (
    SELECT record.id
      FROM record
      LEFT JOIN staged_vep ON staged_vep.vendor_id = record.vendor_id AND NOT staged_vep.odd
     WHERE record.connection_id = %(connection)s
       AND (staged_vep.vendor_id IS NULL OR record.deleted_at IS NOT NULL OR record.absent_since IS NOT NULL
            OR (record.name, record.url, record.parent, record.attributes)
               IS DISTINCT FROM (staged_vep.name, staged_vep.url, staged_vep.parent, staged_vep.attributes))
     ORDER BY record.id
       FOR UPDATE OF record
) AS locked
