-- Deletes these Operations where nothing names them: no proof, no closing that waits, no Record, none of its history, no
-- move of a Feed. Most of that no foreign key asks (schema/0008), so nothing else may delete an Operation that counts.
-- Findings and their journal are not asked: see operations_look.sql.
-- Parameters: operations. Locks: these Operations. Rows: one an Operation.
DELETE FROM operation
 WHERE id = ANY(%(operations)s::bigint[])
   AND id NOT IN (SELECT proven_operation_id FROM part WHERE proven_operation_id = ANY(%(operations)s::bigint[]))
   AND id NOT IN (SELECT last_operation_id FROM part WHERE last_operation_id = ANY(%(operations)s::bigint[]))
   AND id NOT IN (SELECT since_operation FROM held WHERE since_operation = ANY(%(operations)s::bigint[]))
   AND id NOT IN (SELECT latest_operation FROM held WHERE latest_operation = ANY(%(operations)s::bigint[]))
   AND id NOT IN (SELECT first_seen_operation_id FROM record WHERE first_seen_operation_id = ANY(%(operations)s::bigint[]))
   AND id NOT IN (SELECT absent_operation_id FROM record WHERE absent_operation_id = ANY(%(operations)s::bigint[]))
   AND id NOT IN (SELECT operation_id FROM record_history WHERE operation_id = ANY(%(operations)s::bigint[]))
   AND id NOT IN (SELECT since_operation_id FROM held_absence WHERE since_operation_id = ANY(%(operations)s::bigint[]))
   AND id NOT IN (SELECT latest_operation_id FROM held_absence WHERE latest_operation_id = ANY(%(operations)s::bigint[]))
   AND id NOT IN (SELECT operation FROM feed_move WHERE operation = ANY(%(operations)s::bigint[]))
