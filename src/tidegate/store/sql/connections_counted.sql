-- What a list of Connections says of each in numbers: the findings that came through it, how many open ones no Sync looks
-- at any more (as reads/count.py says it: Feeds that are left behind, all of a Connection that was deleted, and of the
-- others what is skipped), and how many of its Records are in each state (record_state in schema/0023_states). OFFSET keeps
-- the planner from reading all Tests for those few in which something is left behind.
-- Parameters: ids. Locks: none. Rows: one a Connection; `by_severity` are the active ones, the worst severity first.
WITH held AS MATERIALIZED (
    SELECT connection_id, sum(n) FILTER (WHERE active) AS active, sum(n) FILTER (WHERE NOT active) AS inactive,
           sum(n) FILTER (WHERE open) AS open,
           ARRAY[sum(n) FILTER (WHERE active AND severity = 5), sum(n) FILTER (WHERE active AND severity = 4),
                 sum(n) FILTER (WHERE active AND severity = 3), sum(n) FILTER (WHERE active AND severity = 2),
                 sum(n) FILTER (WHERE active AND severity = 1), sum(n) FILTER (WHERE active AND severity = 0)]::int8[] AS by_severity
      FROM connection_tally
     WHERE connection_id = ANY (%(ids)s::bigint[])
     GROUP BY connection_id
), gone AS MATERIALIZED (
    SELECT place.connection_id, sum(gone.n) AS unwatched
      FROM (SELECT test_id, sum(n) AS n FROM (
        SELECT test_id, open_findings AS n FROM feed WHERE behind
        UNION ALL
        SELECT feed.test_id, feed.open_findings
          FROM connection
          JOIN test ON test.connection_id = connection.id
          JOIN feed ON feed.test_id = test.id
         WHERE connection.deleted_at IS NOT NULL AND connection.id = ANY (%(ids)s::bigint[]) AND NOT feed.behind
        UNION ALL
        SELECT feed.test_id, tally.n
          FROM part
          JOIN feed ON feed.id = part.feed_id
          JOIN test ON test.id = feed.test_id
          JOIN connection ON connection.id = test.connection_id
          JOIN tally ON (tally.feed_id, tally.family, tally.branch) = (part.feed_id, part.family, part.branch)
         WHERE part.last_outcome = 'skipped' AND NOT feed.behind AND connection.deleted_at IS NULL AND tally.open
      ) AS each GROUP BY test_id) AS gone
     CROSS JOIN LATERAL (SELECT connection_id FROM test WHERE test.id = gone.test_id OFFSET 0) AS place
     WHERE place.connection_id = ANY (%(ids)s::bigint[])
     GROUP BY place.connection_id
), states AS MATERIALIZED (
    SELECT connection_id, sum(n) FILTER (WHERE state = 'new') AS new, sum(n) FILTER (WHERE state = 'ignored') AS ignored,
           sum(n) FILTER (WHERE state = 'good') AS good, sum(n) FILTER (WHERE state = 'stale') AS stale,
           sum(n) FILTER (WHERE state = 'missing') AS missing
      FROM record_tally
     WHERE connection_id = ANY (%(ids)s::bigint[])
     GROUP BY connection_id
)
SELECT asked.id AS of, coalesce(held.active, 0)::int8 AS active, coalesce(held.inactive, 0)::int8 AS inactive,
       coalesce(held.open, 0)::int8 AS open, coalesce(held.by_severity, '{}') AS by_severity,
       coalesce(gone.unwatched, 0)::int8 AS unwatched,
       coalesce(states.new, 0)::int8 AS new, coalesce(states.ignored, 0)::int8 AS ignored,
       coalesce(states.good, 0)::int8 AS good, coalesce(states.stale, 0)::int8 AS stale,
       coalesce(states.missing, 0)::int8 AS missing
  FROM unnest(%(ids)s::bigint[]) AS asked (id)
  LEFT JOIN held ON held.connection_id = asked.id
  LEFT JOIN gone ON gone.connection_id = asked.id
  LEFT JOIN states ON states.connection_id = asked.id
