-- Asks for what a person decided and is too much for one request. Each is an Operation of its own: none joins another.
-- Parameters: connection, actor, scope, step. Locks: none. Rows: one.
INSERT INTO operation (type, connection_id, trigger, actor, scope, preview, status, step)
VALUES ('change', %(connection)s, 'manual', %(actor)s, %(scope)s::jsonb, false, 'pending', %(step)s::uuid)
RETURNING id
