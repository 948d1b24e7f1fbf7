-- Asks for an Operation on everything for each of these, at once, as request_operation does for one: where one of the
-- type waits for the Connection, that is joined and waits no longer than until a worker is free.
-- Parameters: types, connections (of the same length), actor. Locks: the waiting rows. Rows: one an Operation.
INSERT INTO operation (type, connection_id, trigger, actor, scope, preview, status)
SELECT due.type, due.connection, 'scheduled', %(actor)s, '{}'::jsonb, false, 'pending'
  FROM unnest(%(types)s::text[], %(connections)s::bigint[]) AS due (type, connection)
 ORDER BY due.connection, due.type
    ON CONFLICT (connection_id, type, preview) WHERE status = 'pending' AND type IN ('discover', 'sync') DO UPDATE
   SET scope = '{}'::jsonb, not_before = NULL
RETURNING operation.id
