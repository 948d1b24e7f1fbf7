-- How far the words of a Feed are indexed. Nobody works on it now who is further.
-- Parameters: due, finding. Locks: the row; none where somebody else has it. Rows: 1, or 0 where it is done or taken.
UPDATE words_due SET finding_id = %(finding)s, operation_id = coalesce(operation_id, 0)
 WHERE id = (SELECT id FROM words_due
              WHERE id = %(due)s AND coalesce(finding_id, 0) < %(finding)s FOR UPDATE SKIP LOCKED)
