-- Locks the next second factors that do not begin as what the newest key sealed. What is no base64 is nothing that was
-- sealed: it comes as it is, and nothing opens it.
-- Parameters: newest (how that begins), after (a second factor's number), most. Locks: these rows, by id.
-- Rows: one a second factor, with its user and the name its secret has in there.
SELECT id, user_id, name, sealed
  FROM mfa_authenticator
  JOIN (VALUES ('totp', 'secret'), ('recovery_codes', 'seed')) AS kept (type, name) USING (type)
 CROSS JOIN LATERAL (SELECT CASE
           WHEN data ->> name ~ '^([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'
           THEN decode(data ->> name, 'base64')
           ELSE convert_to(data ->> name, 'UTF8') END AS sealed) AS stored
 WHERE id > %(after)s
   AND starts_with(data ->> name, 'dGcx')
   AND substr(sealed, 1, length(%(newest)s::bytea)) <> %(newest)s::bytea
 ORDER BY id
 LIMIT %(most)s
   FOR NO KEY UPDATE OF mfa_authenticator
