-- Counts a rejected login; the third in a row pauses the Connection and says so.
-- Parameters: connection. Locks: the Connection. Rows: one.
UPDATE connection
   SET rejected_logins = rejected_logins + 1,
       paused_at = CASE WHEN rejected_logins + 1 >= 3 THEN coalesce(paused_at, now()) ELSE paused_at END,
       paused_because = CASE WHEN rejected_logins + 1 >= 3 AND paused_at IS NULL
           THEN 'The login was rejected three times running.' ELSE paused_because END
 WHERE id = %(connection)s
RETURNING coalesce(paused_at = now(), false) AS paused_now
