-- Asks for an Operation, or joins the one of its type that waits for the Connection, widening its scope: everything
-- swallows a selection, two selections become one.
-- Parameters: type, connection, actor, trigger, scope. Locks: the waiting row. Rows: one.
INSERT INTO operation (type, connection_id, trigger, actor, scope, preview, status)
VALUES (%(type)s, %(connection)s, %(trigger)s, %(actor)s, %(scope)s::jsonb, false, 'pending')
    ON CONFLICT (connection_id, type, preview) WHERE status = 'pending' DO UPDATE
   SET scope = CASE
           WHEN operation.scope ? 'records' AND excluded.scope ? 'records' THEN jsonb_build_object('records', (
               SELECT jsonb_agg(DISTINCT asked.record)
                 FROM jsonb_array_elements((operation.scope -> 'records') || (excluded.scope -> 'records')) AS asked (record)
           ))
           ELSE '{}'::jsonb
       END
RETURNING operation.id
