-- Nobody needs to look at an Operation that has ended.
-- Parameters: operation. Locks: its job, where one waits. Rows: none or one.
DELETE FROM procrastinate_jobs WHERE queueing_lock = 'operation ' || %(operation)s::bigint AND status = 'todo'
