-- Everything that is sealed, as it is stored, with the owner that it is sealed to: the secrets of Connections and drafts
-- and of their triggers, the addresses of routes and what webhooks sign with, the logins of Destinations, the second
-- factors of people. What begins as if it were sealed and is no base64 comes as it is: nothing opens it.
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
 UNION ALL
SELECT 'destination', id, 'destination ' || id, name, secrets FROM destination
 UNION ALL
SELECT 'user', user_id, 'user ' || user_id || ' second factor',
       username || CASE type WHEN 'totp' THEN ' (authenticator app)' ELSE ' (recovery codes)' END,
       CASE WHEN data ->> kept.name ~ '^([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'
            THEN decode(data ->> kept.name, 'base64')
            ELSE convert_to(data ->> kept.name, 'UTF8')
        END
  FROM mfa_authenticator
  JOIN (VALUES ('totp', 'secret'), ('recovery_codes', 'seed')) AS kept (type, name) USING (type)
  JOIN tidegate_user ON tidegate_user.id = user_id
 WHERE starts_with(data ->> kept.name, 'dGcx')
 ORDER BY kind, id, owner
