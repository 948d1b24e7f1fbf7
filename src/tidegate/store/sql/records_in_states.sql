-- How many Records of these Connections are in each state: `rules.record.state` said in SQL, from the index record_states
-- alone. Absence counts before a lost target, as there.
-- Parameters: connections. Locks: none. Rows: one a Connection and state.
SELECT connection_id,
       CASE decision
           WHEN 'undecided' THEN 'new'
           WHEN 'ignored' THEN 'ignored'
           ELSE CASE WHEN absent THEN 'missing' WHEN lost THEN 'stale' ELSE 'good' END
       END AS state, sum(n)::int8 AS n
  FROM (
    SELECT connection_id, decision, absent_since IS NOT NULL AS absent, target_lost_at IS NOT NULL AS lost, count(*) AS n
      FROM record
     WHERE deleted_at IS NULL AND connection_id = ANY (%(connections)s::bigint[])
     GROUP BY 1, 2, 3, 4
  ) AS counted
 GROUP BY 1, 2
