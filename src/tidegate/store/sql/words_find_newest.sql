-- Findings that have all these words, where many have: from the newest down, word for word, since so many hits cost more
-- to gather than to meet. OFFSET and IS TRUE keep the planner from gathering and sorting them.
-- Parameters: query (a tsquery), looked_at (so many findings; null: all), at_most (hits), tests, feeds (null: all).
-- Locks: none. Rows: one a hit of these Tests and Feeds, the newest first, or one without an id; `met` says how many there
-- are wherever they lie.
WITH met AS MATERIALIZED (
    SELECT finding_id, feed_id
      FROM (SELECT finding_id, feed_id, words
              FROM finding_words ORDER BY finding_id DESC LIMIT %(looked_at)s OFFSET 0) AS newest
     WHERE (words @@ %(query)s::tsquery) IS TRUE
     LIMIT %(at_most)s
), scope AS MATERIALIZED (
    SELECT feed_id AS id
      FROM (SELECT DISTINCT feed_id FROM met) AS each
     WHERE (%(feeds)s::bigint[] IS NULL OR feed_id IN (SELECT unnest(%(feeds)s::bigint[])))
       AND (%(tests)s::bigint[] IS NULL OR (SELECT test_id FROM feed WHERE id = feed_id) IN (SELECT unnest(%(tests)s::bigint[])))
)
SELECT hit.finding_id, (SELECT count(*) FROM met) AS met
  FROM (VALUES (true)) AS one (there)
  LEFT JOIN (SELECT finding_id FROM met WHERE feed_id IN (SELECT id FROM scope)) AS hit ON true
 ORDER BY hit.finding_id DESC
