-- Notes that deliveries did not arrive, when each is tried again (null: given up), and that their route fails.
-- Parameters: deliveries, attempts, waits (seconds or null; beside them), error, route. Locks: the deliveries, the
-- route. Rows: one, the route.
WITH noted AS (
    UPDATE delivery
       SET next_at = now() + make_interval(secs => given.wait), error = %(error)s
      FROM unnest(%(deliveries)s::bigint[], %(attempts)s::integer[], %(waits)s::float[]) AS given (id, attempts, wait)
     WHERE delivery.id = given.id AND delivery.attempts = given.attempts AND delivery.sent_at IS NULL
)
UPDATE route
   SET failing_since = coalesce(failing_since, now()), last_error = %(error)s
 WHERE id = %(route)s
