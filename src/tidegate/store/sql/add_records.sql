-- A Record for each VEP never seen before.
-- Parameters: connection, operation. Locks: none. Rows: one a new VEP.
INSERT INTO record (connection_id, vendor_id, name, url, parent, attributes, first_seen_operation_id)
SELECT %(connection)s, vendor_id, name, url, parent, attributes, %(operation)s
  FROM staged_vep
 WHERE NOT odd
   AND NOT EXISTS (
       SELECT FROM record WHERE record.connection_id = %(connection)s AND record.vendor_id = staged_vep.vendor_id)
 ORDER BY n
