-- Writes news that were not told yet: the same kind with the same key was told, and nothing recovered since.
-- Parameters: news (an array of objects). Locks: none; news_lock comes before. Rows: one for each that is news.
INSERT INTO outbox (kind, connection_id, operation_id, facts)
SELECT given.kind, given.connection_id, given.operation_id, given.facts
  FROM jsonb_to_recordset(%(news)s::jsonb) AS given (kind text, connection_id bigint, operation_id bigint, facts jsonb)
 WHERE NOT EXISTS (
    SELECT FROM outbox AS told
     WHERE told.connection_id = given.connection_id
       AND told.kind = given.kind
       AND told.facts ->> 'key' = given.facts ->> 'key'
       AND NOT EXISTS (
        SELECT FROM outbox AS well
         WHERE well.connection_id = told.connection_id
           AND well.kind = 'recovered'
           AND well.id > told.id
           AND well.facts -> 'of' ? told.kind
       )
 )
