-- Asks for a delivery of what a Connection brought, or joins the one that waits: what repairs more wins.
-- Parameters: destination, connection, actor, trigger, scope, preview. Locks: the waiting row. Rows: one.
INSERT INTO operation (type, destination_id, connection_id, trigger, actor, scope, preview, status)
VALUES ('deliver', %(destination)s, %(connection)s, %(trigger)s, %(actor)s, %(scope)s::jsonb, %(preview)s, 'pending')
    ON CONFLICT (destination_id, connection_id, preview) WHERE status = 'pending' AND type = 'deliver' DO UPDATE
   SET scope = CASE WHEN operation.scope ->> 'mode' = 'repair' OR excluded.scope ->> 'mode' = 'deliver'
                    THEN operation.scope ELSE excluded.scope END
RETURNING operation.id
