-- Writes when these schedules are to be looked at again; where an Operation was asked for, an earlier try is done with.
-- Parameters: schedules, next_at, run (of the same length). Locks: these schedules. Rows: one a schedule.
UPDATE schedule
   SET next_at = planned.next_at,
       retry_at = CASE WHEN planned.run THEN NULL ELSE schedule.retry_at END
  FROM unnest(%(schedules)s::bigint[], %(next_at)s::timestamptz[], %(run)s::boolean[]) AS planned (id, next_at, run)
 WHERE schedule.id = planned.id
