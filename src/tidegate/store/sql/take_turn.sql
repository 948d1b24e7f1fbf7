-- Takes the next place for a question to a host, with a gap behind it; a gap of 0 is a look. Whoever slowed down slows
-- all, and the host's own pace comes back step by step. By the database's clock: one that was set back must not silence a
-- host, so no place is further ahead than 15 minutes. Not waited for on disk: after a crash nobody misses it.
-- Parameters: host, gap. Locks: the host's row, for the statement. Rows: one, its `wait` in seconds.
INSERT INTO host_pace (host, next_at, gap)
VALUES (%(host)s, clock_timestamp() + make_interval(secs => %(gap)s), %(gap)s)
    ON CONFLICT (host) DO UPDATE
   SET gap = CASE WHEN %(gap)s = 0 THEN host_pace.gap ELSE greatest(%(gap)s, host_pace.gap * 0.95) END,
       next_at = least(greatest(host_pace.next_at, clock_timestamp()), clock_timestamp() + interval '15 minutes')
               + make_interval(secs => CASE WHEN %(gap)s = 0 THEN 0 ELSE greatest(%(gap)s, host_pace.gap * 0.95) END)
RETURNING greatest(0, extract(epoch FROM next_at - clock_timestamp())
                      - CASE WHEN %(gap)s = 0 THEN 0 ELSE gap END)::float8 AS wait,
          set_config('synchronous_commit', 'off', true)
