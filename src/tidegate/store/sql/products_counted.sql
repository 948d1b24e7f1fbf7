-- What a list of Products says of each in numbers: the findings in it; and of what flows into it how many Records are mapped
-- to it, and how many open findings no Sync looks at any more (as reads/count.py says it). A Feed that is not left behind
-- has its Record; one that is may have it too.
-- Parameters: ids. Locks: none. Rows: one a Product, severity, openness, activity; one without severity for its Feeds.
SELECT product_id AS of, severity, open, active, sum(n)::int8 AS n, 0::int8 AS records, 0::int8 AS unwatched
  FROM product_tally
 WHERE product_id = ANY (%(ids)s::bigint[])
 GROUP BY product_id, severity, open, active
HAVING sum(n) > 0
UNION ALL
SELECT engagement.product_id, NULL, NULL, NULL, 0,
       count(*) FILTER (WHERE NOT feed.behind OR EXISTS (SELECT FROM record WHERE record.feed_id = feed.id)),
       sum(CASE
           WHEN feed.behind OR test.connection_id IN (SELECT id FROM connection WHERE deleted_at IS NOT NULL) THEN feed.open_findings
           ELSE coalesce((
               SELECT sum(tally.n)
                 FROM part
                 JOIN tally ON (tally.feed_id, tally.family, tally.branch) = (part.feed_id, part.family, part.branch)
                WHERE part.feed_id = feed.id AND part.last_outcome = 'skipped' AND tally.open), 0)
       END)::int8
  FROM engagement
  JOIN test ON test.engagement_id = engagement.id
  JOIN feed ON feed.test_id = test.id
 WHERE engagement.product_id = ANY (%(ids)s::bigint[])
 GROUP BY engagement.product_id
 ORDER BY severity DESC NULLS LAST
