-- Asks for an Operation, or joins the one of its type that waits for the Connection, widening its scope: everything
-- swallows a selection, two selections become one. The earlier of two times counts. A preview joins a preview.
-- Parameters: type, connection, actor, trigger, scope, delay (seconds), preview. Locks: the waiting row. Rows: one.
INSERT INTO operation (type, connection_id, trigger, actor, scope, preview, status, not_before)
VALUES (%(type)s, %(connection)s, %(trigger)s, %(actor)s, %(scope)s::jsonb, %(preview)s, 'pending',
        now() + make_interval(secs => nullif(%(delay)s::float, 0)))
    ON CONFLICT (connection_id, type, preview) WHERE status = 'pending' AND type IN ('discover', 'sync') DO UPDATE
   SET scope = CASE
           WHEN operation.scope ? 'records' AND excluded.scope ? 'records' THEN jsonb_build_object('records', (
               SELECT coalesce(jsonb_agg(DISTINCT asked.record), '[]')
                 FROM jsonb_array_elements((operation.scope -> 'records') || (excluded.scope -> 'records')) AS asked (record)
           ))
           ELSE '{}'::jsonb
       END,
       not_before = CASE WHEN operation.not_before IS NULL OR excluded.not_before IS NULL THEN NULL
           ELSE least(operation.not_before, excluded.not_before) END
RETURNING operation.id
