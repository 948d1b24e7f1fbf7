-- The verdict of a preview: what is gone of this Record would not be closed but held.
-- Parameters: operation, record. Locks: these differences. Rows: one a difference.
UPDATE difference SET kind = 'held'
 WHERE operation_id = %(operation)s AND record_id = %(record)s AND kind = 'closed' AND because IN ('gone', 'branch')
