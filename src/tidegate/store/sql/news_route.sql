-- Says of each piece of news on which routes it goes; news for which there is none are done with.
-- Parameters: batch. Locks: news that nobody else routes. Rows: one for each piece of news.
WITH chosen AS MATERIALIZED (
    SELECT id, kind, connection_id
      FROM outbox
     WHERE routed_at IS NULL
     ORDER BY id
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
), addressed AS (
    INSERT INTO delivery (news_id, route_id, next_at)
    SELECT chosen.id, route.id, now()
      FROM chosen
      JOIN route ON route.off_at IS NULL
       AND (route.connection_id IS NULL OR route.connection_id = chosen.connection_id)
       AND (route.kinds = '{}' OR chosen.kind = ANY (route.kinds))
        ON CONFLICT (news_id, route_id) DO NOTHING
)
UPDATE outbox
   SET routed_at = now()
  FROM chosen
 WHERE outbox.id = chosen.id
