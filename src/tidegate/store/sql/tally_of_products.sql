-- How many findings these Products hold.
-- Parameters: ids. Locks: none. Rows: one a Product, severity, openness, activity.
SELECT product_id AS of, severity, open, active, sum(n)::int8 AS n, 0 AS unwatched
  FROM product_tally
 WHERE product_id = ANY (%(ids)s::bigint[])
 GROUP BY product_id, severity, open, active
HAVING sum(n) > 0
 ORDER BY severity DESC
