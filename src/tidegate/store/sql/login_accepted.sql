-- Forgets rejected logins and remembers the account; writes nothing where nothing changed.
-- Parameters: connection, account, account_name. Locks: the Connection. Rows: none or one.
UPDATE connection
   SET rejected_logins = 0,
       account = CASE WHEN account = '' THEN %(account)s ELSE account END,
       account_name = %(account_name)s
 WHERE id = %(connection)s
   AND (rejected_logins <> 0 OR account = '' OR account_name <> %(account_name)s)
