-- Findings of some Feeds that have all these words; for Feeds that hold some thousand findings together.
-- Parameters: query (a tsquery), feeds, at_most. Locks: none. Rows: one a finding.
SELECT finding.id AS finding_id
  FROM unnest(%(feeds)s::bigint[]) AS wanted (feed)
 CROSS JOIN LATERAL (SELECT id FROM finding WHERE feed_id = wanted.feed OFFSET 0) AS finding
 CROSS JOIN LATERAL (
    SELECT words FROM finding_words WHERE finding_words.finding_id = finding.id OFFSET 0
 ) AS known
 WHERE (known.words @@ %(query)s::tsquery) IS TRUE
 ORDER BY finding.id DESC
 LIMIT %(at_most)s
