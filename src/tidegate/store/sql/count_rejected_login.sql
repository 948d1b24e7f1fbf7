-- Counts a rejected login; the third in a row pauses the Connection, says so, and cancels what waits for it: an account
-- that is tried again and again is locked by its vendor.
-- Parameters: connection. Locks: the Connection, then its waiting Operations. Rows: one.
WITH counted AS (
    UPDATE connection
       SET rejected_logins = rejected_logins + 1,
           paused_at = CASE WHEN rejected_logins + 1 >= 3 THEN coalesce(paused_at, now()) ELSE paused_at END,
           paused_because = CASE WHEN rejected_logins + 1 >= 3 AND paused_at IS NULL
               THEN 'The login was rejected three times running, and is not tried again, so that nobody locks the account.'
                   || ' Enter a new secret, and it goes on; or mend the account in the tool, then resume it.'
               ELSE paused_because END
     WHERE id = %(connection)s
    RETURNING id, coalesce(paused_at = now(), false) AS paused_now
), let_go AS (
    UPDATE operation
       SET status = 'cancelled', cancelled_by = 'tidegate', ended_at = now(),
           why = 'The Connection was paused: its login was rejected three times running.'
      FROM counted
     WHERE counted.paused_now AND operation.connection_id = counted.id AND operation.status = 'pending'
       AND operation.type IN ('discover', 'sync')
)
SELECT paused_now FROM counted
