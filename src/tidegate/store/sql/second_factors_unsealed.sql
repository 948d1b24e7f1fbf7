-- Locks the next second factors that an earlier version stored in the clear.
-- Parameters: most. Locks: these rows, by id. Rows: one a second factor, with the name its secret has in there.
SELECT id, user_id, name, data ->> name AS text
  FROM mfa_authenticator
  JOIN (VALUES ('totp', 'secret'), ('recovery_codes', 'seed')) AS kept (type, name) USING (type)
 WHERE NOT starts_with(data ->> name, 'dGcx')
 ORDER BY id
 LIMIT %(most)s
   FOR NO KEY UPDATE OF mfa_authenticator
