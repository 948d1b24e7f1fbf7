-- What a list of Products says of each in numbers: the findings in it; and of what flows into it how many Records are mapped
-- to it, and how many open findings no Sync looks at any more (as reads/count.py says it). A Feed that is not left behind
-- has its Record; one that is may have it too.
-- Parameters: ids. Locks: none. Rows: one a Product, severity, openness, activity; one without severity for its Feeds.
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
)
SELECT product_id AS of, severity, open, active, sum(n)::int8 AS n, 0::int8 AS records, 0::int8 AS unwatched
  FROM product_tally
 WHERE product_id = ANY (%(ids)s::bigint[])
 GROUP BY product_id, severity, open, active
HAVING sum(n) > 0
UNION ALL
SELECT flowing.product_id, NULL, NULL, NULL, 0, count(*) FILTER (WHERE NOT flowing.alone),
       sum(CASE WHEN flowing.behind THEN flowing.open_findings ELSE coalesce(skipped.n, 0) END)::int8
  FROM flowing
  LEFT JOIN skipped ON skipped.feed_id = flowing.id
 GROUP BY flowing.product_id
 ORDER BY severity DESC NULLS LAST
