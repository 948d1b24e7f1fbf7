-- Notes that deliveries did not arrive, when each is tried again (null: given up), and that their route fails. What else
-- is due on it waits a minute, so that a route that fails slowly keeps nobody else waiting.
-- Parameters: deliveries, attempts, waits (seconds or null; beside them), error, route. Locks: the deliveries, what is
-- due of the route but for what another process takes, the route. Rows: one, the route.
WITH noted AS (
    UPDATE delivery
       SET next_at = now() + make_interval(secs => given.wait), error = %(error)s
      FROM unnest(%(deliveries)s::bigint[], %(attempts)s::integer[], %(waits)s::float[]) AS given (id, attempts, wait)
     WHERE delivery.id = given.id AND delivery.attempts = given.attempts AND delivery.sent_at IS NULL
), due AS (
    SELECT id
      FROM delivery
     WHERE route_id = %(route)s AND next_at <= now() AND NOT id = ANY (%(deliveries)s::bigint[])
       FOR UPDATE SKIP LOCKED
), put_off AS (
    UPDATE delivery SET next_at = now() + interval '1 minute' FROM due WHERE delivery.id = due.id
)
UPDATE route
   SET failing_since = coalesce(failing_since, now()), last_error = %(error)s
 WHERE id = %(route)s
