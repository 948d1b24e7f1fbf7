-- What a Discover saw, against what is known: counted, nothing written.
-- Parameters: connection. Locks: none. Rows: one.
SELECT (SELECT count(*) FROM staged_vep) AS seen,
       count(*) FILTER (WHERE record.deleted_at IS NULL AND record.absent_since IS NULL) AS present,
       count(*) FILTER (WHERE record.deleted_at IS NULL AND record.absent_since IS NULL AND staged_vep.vendor_id IS NULL
                          AND record.vendor_id <> %(no_product)s) AS gone
  FROM record
  LEFT JOIN staged_vep ON staged_vep.vendor_id = record.vendor_id
 WHERE record.connection_id = %(connection)s
