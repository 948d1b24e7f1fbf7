-- Everything that is sealed, as it is stored, with the owner that it is sealed to: the secrets of Connections and drafts
-- and of their triggers, the addresses of routes and what webhooks sign with.
-- Parameters: none. Locks: none. Rows: one a secret.
SELECT 'connection' AS kind, id, 'connection ' || id AS owner, label AS name, secrets AS sealed
  FROM connection
 WHERE secrets IS NOT NULL
 UNION ALL
SELECT 'connection', id, 'connection ' || id || ' trigger', label || ' (trigger)', trigger_secret
  FROM connection
 WHERE trigger_secret IS NOT NULL
 UNION ALL
SELECT 'route', id, 'route ' || id, name, address FROM route
 UNION ALL
SELECT 'route', id, 'route ' || id || ' signature', name || ' (signature)', signing_secret
  FROM route
 WHERE signing_secret IS NOT NULL
 ORDER BY kind, id, owner
