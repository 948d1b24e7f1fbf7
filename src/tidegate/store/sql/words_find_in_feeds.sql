-- Findings of some Feeds that have all these words, where those hold no more than so many together: of these the newest are
-- looked at, one by one.
-- Parameters: query (a tsquery), feeds, most (findings they hold), looked_at. Locks: none. Rows: one a finding, or one
-- without an id; `held` says how many they hold, up to one more than `most`.
WITH inside AS MATERIALIZED (
    SELECT id FROM finding WHERE feed_id = ANY (%(feeds)s::bigint[]) LIMIT %(most)s::bigint + 1
), met AS MATERIALIZED (
    SELECT newest.id
      FROM (SELECT id FROM inside WHERE (SELECT count(*) FROM inside) <= %(most)s::bigint
             ORDER BY id DESC LIMIT %(looked_at)s) AS newest
     CROSS JOIN LATERAL (
        SELECT words FROM finding_words WHERE finding_words.finding_id = newest.id OFFSET 0
     ) AS known
     WHERE (known.words @@ %(query)s::tsquery) IS TRUE
)
SELECT met.id AS finding_id, (SELECT count(*) FROM inside) AS held
  FROM (VALUES (true)) AS one (there)
  LEFT JOIN met ON true
