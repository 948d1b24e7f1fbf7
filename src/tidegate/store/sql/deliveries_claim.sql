-- Takes what is due for one route, the one that waits longest: of a webhook one piece of news, each is a message of its
-- own there. Whoever takes it has until `seconds` from now; should he die, it is due again then.
-- Parameters: seconds, look, most. Locks: these deliveries, but for those another process takes. Rows: one a delivery.
WITH due AS MATERIALIZED (
    SELECT delivery.id, delivery.route_id, delivery.next_at, route.signing_secret IS NOT NULL AS webhook
      FROM delivery
      JOIN route ON route.id = delivery.route_id AND route.off_at IS NULL
     WHERE delivery.next_at <= now()
     ORDER BY delivery.next_at, delivery.id
     LIMIT %(look)s
       FOR UPDATE OF delivery SKIP LOCKED
), chosen AS (
    SELECT id
      FROM due
     WHERE route_id = (SELECT route_id FROM due ORDER BY next_at, id LIMIT 1)
     ORDER BY next_at, id
     LIMIT (SELECT CASE WHEN webhook THEN 1 ELSE %(most)s::bigint END FROM due ORDER BY next_at, id LIMIT 1)
), taken AS (
    UPDATE delivery
       SET next_at = now() + make_interval(secs => %(seconds)s), attempts = delivery.attempts + 1
      FROM chosen
     WHERE delivery.id = chosen.id
    RETURNING delivery.id, delivery.route_id, delivery.news_id, delivery.attempts, delivery.again_at
)
SELECT taken.id, taken.route_id, taken.attempts, outbox.id AS news_id, outbox.kind, outbox.facts, outbox.at,
       now() - coalesce(taken.again_at, outbox.at) AS age, outbox.operation_id, connection.id AS connection_id,
       connection.label
  FROM taken
  JOIN outbox ON outbox.id = taken.news_id
  JOIN connection ON connection.id = outbox.connection_id
 ORDER BY outbox.id
