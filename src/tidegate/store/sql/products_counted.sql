-- What a list of Products says of each in numbers: the findings in it; and of what flows into it how many Records are mapped
-- to it, and how many open findings no Sync looks at any more (as reads/count.py says it). A Feed that is not left behind
-- has its Record; one that is may have it too. Feeds are counted by their index alone: only those that are left behind, of
-- which there are few, and those of a deleted Connection, are read.
-- Parameters: ids. Locks: none. Rows: one a Product; `by_severity` are the active ones, the worst severity first.
WITH place AS MATERIALIZED (
    SELECT engagement.product_id, test.id AS test_id, connection.deleted_at IS NOT NULL AS deleted
      FROM engagement
      JOIN test ON test.engagement_id = engagement.id
      JOIN connection ON connection.id = test.connection_id
     WHERE engagement.product_id = ANY (%(ids)s::bigint[])
), counted AS MATERIALIZED (
    SELECT place.product_id, count(*) AS feeds FROM place JOIN feed ON feed.test_id = place.test_id GROUP BY place.product_id
), gone AS MATERIALIZED (
    SELECT place.product_id, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM record WHERE record.feed_id = feed.id)) AS alone,
           sum(feed.open_findings) AS unwatched
      FROM place
      JOIN feed ON feed.test_id = place.test_id AND feed.behind
     GROUP BY place.product_id
), cut_off AS MATERIALIZED (
    SELECT place.product_id, sum(feed.open_findings) AS unwatched
      FROM place
      JOIN feed ON feed.test_id = place.test_id
     WHERE place.deleted AND NOT feed.behind
     GROUP BY place.product_id
), skipped AS MATERIALIZED (
    SELECT place.product_id, sum(tally.n) AS unwatched
      FROM part
      JOIN feed ON feed.id = part.feed_id
      JOIN place ON place.test_id = feed.test_id
      JOIN tally ON (tally.feed_id, tally.family, tally.branch) = (part.feed_id, part.family, part.branch)
     WHERE part.last_outcome = 'skipped' AND tally.open AND NOT feed.behind AND NOT place.deleted
     GROUP BY place.product_id
), held AS MATERIALIZED (
    SELECT product_id, sum(n) FILTER (WHERE active) AS active, sum(n) FILTER (WHERE NOT active) AS inactive,
           sum(n) FILTER (WHERE open) AS open,
           ARRAY[sum(n) FILTER (WHERE active AND severity = 5), sum(n) FILTER (WHERE active AND severity = 4),
                 sum(n) FILTER (WHERE active AND severity = 3), sum(n) FILTER (WHERE active AND severity = 2),
                 sum(n) FILTER (WHERE active AND severity = 1), sum(n) FILTER (WHERE active AND severity = 0)]::int8[] AS by_severity
      FROM product_tally
     WHERE product_id = ANY (%(ids)s::bigint[])
     GROUP BY product_id
)
SELECT asked.id AS of, coalesce(held.active, 0)::int8 AS active, coalesce(held.inactive, 0)::int8 AS inactive,
       coalesce(held.open, 0)::int8 AS open, coalesce(held.by_severity, '{}') AS by_severity,
       coalesce(counted.feeds, 0) - coalesce(gone.alone, 0) AS records,
       (coalesce(gone.unwatched, 0) + coalesce(cut_off.unwatched, 0) + coalesce(skipped.unwatched, 0))::int8 AS unwatched
  FROM unnest(%(ids)s::bigint[]) AS asked (id)
  LEFT JOIN held ON held.product_id = asked.id
  LEFT JOIN counted ON counted.product_id = asked.id
  LEFT JOIN gone ON gone.product_id = asked.id
  LEFT JOIN cut_off ON cut_off.product_id = asked.id
  LEFT JOIN skipped ON skipped.product_id = asked.id
