-- Adds up how many Records of each Connection are in each state, as tally_add_up does for findings.
-- Parameters: none. Locks: the rows it takes, for the transaction. Rows: one a Connection and state.
WITH taken AS (
    DELETE FROM record_tally
     WHERE id IN (SELECT id FROM record_tally
                   WHERE (connection_id, state) IN (
                       SELECT connection_id, state FROM record_tally GROUP BY 1, 2 HAVING count(*) > 1)
                   FOR UPDATE SKIP LOCKED)
 RETURNING connection_id, state, n
)
INSERT INTO record_tally (connection_id, state, n)
SELECT connection_id, state, sum(n) FROM taken GROUP BY 1, 2 HAVING sum(n) <> 0
