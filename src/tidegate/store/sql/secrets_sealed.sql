-- Everything that is sealed, as it is stored: the secrets of Connections and drafts, and the addresses of routes.
-- Parameters: none. Locks: none. Rows: one a Connection that has secrets, one a route.
SELECT 'connection' AS kind, id, label AS name, secrets AS sealed FROM connection WHERE secrets IS NOT NULL
UNION ALL
SELECT 'route', id, name, address FROM route
 ORDER BY kind, id
