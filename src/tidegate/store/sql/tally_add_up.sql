-- Adds up what came through each Connection: many small rows become one. What somebody else is at is left to them.
-- Parameters: none. Locks: the rows it takes, for the transaction. Rows: one a Connection, severity, openness, activity.
WITH taken AS (
    DELETE FROM connection_tally
     WHERE id IN (SELECT id FROM connection_tally
                   WHERE (connection_id, severity, open, active) IN (
                       SELECT connection_id, severity, open, active FROM connection_tally GROUP BY 1, 2, 3, 4
                       HAVING count(*) > 1)
                   FOR UPDATE SKIP LOCKED)
 RETURNING connection_id, severity, open, active, n
)
INSERT INTO connection_tally (connection_id, severity, open, active, n)
SELECT connection_id, severity, open, active, sum(n) FROM taken GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0
