-- How somebody comes in: the hash of their password, their second factors, the sessions that live.
-- Parameters: user. Locks: none. Rows: one.
SELECT tidegate_user.password,
       (SELECT coalesce(json_object_agg(id, type), '{}') FROM mfa_authenticator WHERE user_id = tidegate_user.id) AS factors,
       ARRAY(SELECT session_key FROM usersessions_usersession JOIN django_session USING (session_key)
              WHERE usersessions_usersession.user_id = tidegate_user.id) AS sessions
  FROM tidegate_user
 WHERE tidegate_user.id = %(user)s
