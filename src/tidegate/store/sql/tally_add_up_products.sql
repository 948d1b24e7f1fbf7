-- Adds up what each Product holds, as tally_add_up does for Connections.
-- Parameters: none. Locks: the rows it takes, for the transaction. Rows: one a Product, severity, openness, activity.
WITH taken AS (
    DELETE FROM product_tally
     WHERE id IN (SELECT id FROM product_tally
                   WHERE (product_id, severity, open, active) IN (
                       SELECT product_id, severity, open, active FROM product_tally GROUP BY 1, 2, 3, 4
                       HAVING count(*) > 1)
                   FOR UPDATE SKIP LOCKED)
 RETURNING product_id, severity, open, active, n
)
INSERT INTO product_tally (product_id, severity, open, active, n)
SELECT product_id, severity, open, active, sum(n) FROM taken GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0
