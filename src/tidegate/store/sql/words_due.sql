-- Some of what waits for its words, the oldest first: single findings (operation null), or all that an Operation created
-- in a Feed, or a whole Feed (operation and finding null; 0 where it is begun). What somebody else is at is left out,
-- and so is what the caller has begun already.
-- Parameters: passed, at_most. Locks: these rows, for the transaction. Rows: one a thing that waits.
SELECT id, feed_id, operation_id, finding_id, operation_id IS NULL AND finding_id IS NOT NULL AS single
  FROM words_due
 WHERE id <> ALL (%(passed)s::bigint[])
 ORDER BY id
 LIMIT %(at_most)s
   FOR UPDATE SKIP LOCKED
