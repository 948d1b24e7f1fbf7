-- Deletes old lines of logs, those of the eldest Operations first.
-- Parameters: last (no later Operation has lines so old), before (time), at_most. Locks: these lines. Rows: one a line.
DELETE FROM log_line
 WHERE id IN (SELECT id FROM log_line
               WHERE operation_id <= %(last)s AND at < %(before)s::timestamptz
               ORDER BY operation_id, n
               LIMIT %(at_most)s)
