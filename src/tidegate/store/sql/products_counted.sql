-- What a list of Products says of each in numbers: the findings in it; and of what flows into it how many Records are mapped
-- to it, and how many open findings no Sync looks at any more (as reads/count.py says it). A Feed that is not left behind
-- has its Record; one that is may have it too.
-- Parameters: ids. Locks: none. Rows: one a Product; `by_severity` are the active ones, the worst severity first.
WITH flowing AS MATERIALIZED (
    SELECT engagement.product_id, feed.id, feed.open_findings,
           feed.behind AND (SELECT min(record.id) FROM record WHERE record.feed_id = feed.id) IS NULL AS alone,
           feed.behind OR connection.deleted_at IS NOT NULL AS behind
      FROM engagement
      JOIN test ON test.engagement_id = engagement.id
      JOIN connection ON connection.id = test.connection_id
      JOIN feed ON feed.test_id = test.id
     WHERE engagement.product_id = ANY (%(ids)s::bigint[])
), skipped AS MATERIALIZED (
    SELECT part.feed_id, sum(tally.n) AS n
      FROM part
      JOIN tally ON (tally.feed_id, tally.family, tally.branch) = (part.feed_id, part.family, part.branch)
     WHERE part.last_outcome = 'skipped' AND tally.open AND part.feed_id IN (SELECT id FROM flowing WHERE NOT behind)
     GROUP BY part.feed_id
), held AS MATERIALIZED (
    SELECT product_id, sum(n) FILTER (WHERE active) AS active, sum(n) FILTER (WHERE NOT active) AS inactive,
           sum(n) FILTER (WHERE open) AS open,
           ARRAY[sum(n) FILTER (WHERE active AND severity = 5), sum(n) FILTER (WHERE active AND severity = 4),
                 sum(n) FILTER (WHERE active AND severity = 3), sum(n) FILTER (WHERE active AND severity = 2),
                 sum(n) FILTER (WHERE active AND severity = 1), sum(n) FILTER (WHERE active AND severity = 0)]::int8[] AS by_severity
      FROM product_tally
     WHERE product_id = ANY (%(ids)s::bigint[])
     GROUP BY product_id
), flows AS MATERIALIZED (
    SELECT flowing.product_id, count(*) FILTER (WHERE NOT flowing.alone) AS records,
           sum(CASE WHEN flowing.behind THEN flowing.open_findings ELSE coalesce(skipped.n, 0) END) AS unwatched
      FROM flowing
      LEFT JOIN skipped ON skipped.feed_id = flowing.id
     GROUP BY flowing.product_id
)
SELECT asked.id AS of, coalesce(held.active, 0)::int8 AS active, coalesce(held.inactive, 0)::int8 AS inactive,
       coalesce(held.open, 0)::int8 AS open, coalesce(held.by_severity, '{}') AS by_severity,
       coalesce(flows.records, 0) AS records, coalesce(flows.unwatched, 0)::int8 AS unwatched
  FROM unnest(%(ids)s::bigint[]) AS asked (id)
  LEFT JOIN held ON held.product_id = asked.id
  LEFT JOIN flows ON flows.product_id = asked.id
