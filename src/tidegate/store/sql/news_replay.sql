-- Sends news again on the routes that they are for now, or on the one that is named, whatever kinds that is for; never
-- news of a Connection on a route of another, or on one that is switched off.
-- Parameters: news (numbers), route (or null). Locks: these deliveries. Rows: one a delivery.
INSERT INTO delivery (news_id, route_id, next_at, again_at)
SELECT outbox.id, route.id, now(), now()
  FROM outbox
  JOIN route ON route.off_at IS NULL AND (route.connection_id IS NULL OR route.connection_id = outbox.connection_id)
 WHERE outbox.id = ANY (%(news)s::bigint[])
   AND (
    route.id = %(route)s::bigint
    OR (%(route)s::bigint IS NULL AND (route.kinds = '{}' OR outbox.kind = ANY (route.kinds)))
   )
 ORDER BY outbox.id, route.id
    ON CONFLICT (news_id, route_id) DO UPDATE
   SET next_at = now(), again_at = now(), sent_at = NULL, attempts = 0, error = ''
