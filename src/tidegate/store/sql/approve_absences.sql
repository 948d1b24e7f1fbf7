-- A person believes that these VEPs are gone: what was held becomes absent, unless it was seen since.
-- Parameters: operation. Locks: these Records. Rows: one an absence.
WITH approved AS (
    DELETE FROM held_absence WHERE latest_operation_id = %(operation)s RETURNING record_id
)
UPDATE record
   SET absent_since = now(), absent_operation_id = %(operation)s
  FROM approved
 WHERE record.id = approved.record_id AND record.deleted_at IS NULL AND record.absent_since IS NULL
