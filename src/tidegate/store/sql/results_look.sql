-- The next results in the order of their key, with how far a caller has looked then.
-- Parameters: after_operation, after_record, after_family, after_branch (the key to go on behind), last (Operation),
-- at_most. Locks: none. Rows: one a result.
SELECT id, operation_id, record_id, family, branch
  FROM result
 WHERE (operation_id, record_id, family, branch)
     > (%(after_operation)s::bigint, %(after_record)s::bigint, %(after_family)s::text, %(after_branch)s::text)
   AND operation_id <= %(last)s
 ORDER BY operation_id, record_id, family, branch
 LIMIT %(at_most)s
