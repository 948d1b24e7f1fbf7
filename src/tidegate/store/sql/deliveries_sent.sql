-- Notes that deliveries arrived, and that their route works; one that another process took meanwhile stays as it is.
-- Parameters: deliveries, attempts (beside them), route. Locks: the deliveries, the route. Rows: one, the route.
WITH noted AS (
    UPDATE delivery
       SET sent_at = now(), next_at = NULL, error = ''
      FROM unnest(%(deliveries)s::bigint[], %(attempts)s::integer[]) AS given (id, attempts)
     WHERE delivery.id = given.id AND delivery.attempts = given.attempts AND delivery.sent_at IS NULL
)
UPDATE route
   SET last_sent_at = now(), failing_since = NULL, last_error = ''
 WHERE id = %(route)s
