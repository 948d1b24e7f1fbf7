-- Lets nobody take a place at a host that is earlier than in so many seconds.
-- Parameters: host, seconds. Locks: the host's row, for the statement. Rows: one.
INSERT INTO host_pace (host, next_at)
VALUES (%(host)s, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (host) DO UPDATE SET next_at = greatest(host_pace.next_at, excluded.next_at)
