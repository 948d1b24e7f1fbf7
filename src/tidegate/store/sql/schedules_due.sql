-- Schedules that want something now: a run or a retry is due, perhaps for long; nothing is planned yet; or what is planned
-- lies further ahead than it can, so a clock had jumped. Only of Connections that are neither paused nor deleted. What
-- another scheduler holds is left to it, and a Connection that is being changed to the next tick.
-- Parameters: now. Locks: these schedules, and their Connections against a pause or deletion. Rows: one a schedule.
SELECT schedule.id, schedule.connection_id, schedule.type, schedule.kind, schedule.at, schedule.weekday, schedule.hours,
       schedule.cron, schedule.zone, schedule.spread_minutes, schedule.next_at, schedule.retry_at
  FROM schedule
  JOIN connection ON connection.id = schedule.connection_id
 WHERE connection.paused_at IS NULL
   AND connection.deleted_at IS NULL
   AND schedule.kind <> 'off'
   AND (schedule.next_at IS NULL
    OR schedule.next_at <= %(now)s
    OR schedule.retry_at <= %(now)s
    OR schedule.next_at > %(now)s::timestamptz + CASE schedule.kind
           WHEN 'hours' THEN make_interval(hours => schedule.hours)
           WHEN 'daily' THEN interval '27 hours'  -- Troll puts its clocks back by two hours
           WHEN 'weekly' THEN interval '171 hours'
           ELSE interval '32 days'
       END)
 ORDER BY schedule.connection_id, schedule.type
   FOR UPDATE OF schedule SKIP LOCKED
   FOR SHARE OF connection SKIP LOCKED
