-- Findings that have all these words out of those of a severity, of some Feeds where those hold no more than so many of it
-- together, or of all: of these the newest are looked at, one by one.
-- Parameters: query (a tsquery), feeds (null: all), severity, active (null: both), most (findings the Feeds hold),
-- looked_at, at_most. Locks: none. Rows: one a finding, or one without an id; `held` says how many there are: up to one more
-- than `most` of the Feeds, up to `looked_at` of all.
WITH inside AS MATERIALIZED (
    (SELECT id
       FROM finding
      WHERE feed_id = ANY (%(feeds)s::bigint[])
        AND severity = %(severity)s::int
        AND (%(active)s::bool IS NULL OR active = %(active)s::bool)
      LIMIT %(most)s::bigint + 1)
    UNION ALL
    (SELECT listed.id
       FROM (VALUES (true), (false)) AS standing (active)
      CROSS JOIN LATERAL (
        SELECT id
          FROM finding
         WHERE finding.active = standing.active AND finding.severity = %(severity)s::int
         ORDER BY id DESC
         LIMIT %(looked_at)s
      ) AS listed
      WHERE %(feeds)s::bigint[] IS NULL AND (%(active)s::bool IS NULL OR standing.active = %(active)s::bool)
      ORDER BY listed.id DESC
      LIMIT %(looked_at)s)
), counted AS MATERIALIZED (
    SELECT count(*) AS n FROM inside
), met AS MATERIALIZED (
    SELECT newest.id
      FROM (SELECT id FROM inside WHERE (SELECT n FROM counted) <= %(most)s::bigint
             ORDER BY id DESC LIMIT %(looked_at)s) AS newest
     CROSS JOIN LATERAL (
        SELECT words FROM finding_words WHERE finding_words.finding_id = newest.id OFFSET 0
     ) AS known
     WHERE (known.words @@ %(query)s::tsquery) IS TRUE
     ORDER BY newest.id DESC
     LIMIT %(at_most)s
)
SELECT met.id AS finding_id, counted.n AS held
  FROM counted
  LEFT JOIN met ON true
