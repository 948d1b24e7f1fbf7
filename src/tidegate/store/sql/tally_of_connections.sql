-- How many findings came through these Connections.
-- Parameters: ids. Locks: none. Rows: one a Connection, severity, openness, activity.
SELECT connection_id AS of, severity, open, active, sum(n)::int8 AS n, 0 AS unwatched
  FROM connection_tally
 WHERE connection_id = ANY (%(ids)s::bigint[])
 GROUP BY connection_id, severity, open, active
HAVING sum(n) > 0
 ORDER BY severity DESC
