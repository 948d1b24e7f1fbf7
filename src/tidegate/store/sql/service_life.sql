-- Which parts of the service live, wherever they run: the one scheduler that ticks holds a lock, a worker beats.
-- The lock's number is how hashtext() says its name; pg_locks shows a number in two halves.
-- Parameters: seconds (a heart-beat older than that is no life). Locks: none. Rows: one.
SELECT EXISTS (
           SELECT FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND objsubid = 1
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND (classid::bigint << 32) | objid::bigint = hashtext('tidegate.scheduler')::bigint
       ) AS scheduler,
       (SELECT count(*)
          FROM procrastinate_workers
         WHERE last_heartbeat > now() - make_interval(secs => %(seconds)s)) AS workers
