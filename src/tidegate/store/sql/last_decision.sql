-- The last decision on a Record: the line of its history that an undo would take back.
-- Parameters: record. Locks: none. Rows: one or none.
SELECT step, actor, at
  FROM record_history
 WHERE record_id = %(record)s
   AND (after ?| ARRAY['decision', 'finalized_at'] OR after ->> 'deleted_at' IS NOT NULL)
 ORDER BY id DESC
 LIMIT 1
