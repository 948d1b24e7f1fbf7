-- Findings that have all these words out of those of some Feeds: where these hold no more than so many together, each is
-- looked at, in the order it lies, which costs less than to meet an index for each. IS TRUE keeps the planner from
-- gathering all findings that have the words, of which it often believes that they are few.
-- Parameters: query (a tsquery), feeds, most (findings the Feeds hold), at_most. Locks: none. Rows: one a finding, the newest
-- first, or one without an id; `held` says how many there are, up to one more than `most`, `met` how many have the words.
WITH held AS MATERIALIZED (
    SELECT count(*) AS n
      FROM (SELECT FROM finding_words WHERE feed_id = ANY (%(feeds)s::bigint[]) LIMIT %(most)s::bigint + 1) AS each
), hit AS MATERIALIZED (
    SELECT finding_id
      FROM finding_words
     WHERE feed_id = ANY (%(feeds)s::bigint[]) AND (words @@ %(query)s::tsquery) IS TRUE
       AND (SELECT n FROM held) <= %(most)s::bigint
)
SELECT newest.finding_id, held.n AS held, (SELECT count(*) FROM hit) AS met
  FROM held
  LEFT JOIN (SELECT finding_id FROM hit ORDER BY finding_id DESC LIMIT %(at_most)s) AS newest ON true
