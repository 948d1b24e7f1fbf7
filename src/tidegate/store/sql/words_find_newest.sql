-- Findings that have all these words, where many have: from the newest down, word for word, since so many hits cost more
-- to gather than to meet. OFFSET and IS TRUE keep the planner from gathering and sorting them.
-- Parameters: query (a tsquery), looked_at (so many findings; null: all), at_most. Locks: none. Rows: one a finding.
SELECT finding_id
  FROM (SELECT finding_id, words FROM finding_words ORDER BY finding_id DESC LIMIT %(looked_at)s OFFSET 0) AS newest
 WHERE (words @@ %(query)s::tsquery) IS TRUE
 LIMIT %(at_most)s
