-- All findings that have all these words, the oldest first, where no more than so many have; asked where the planner
-- believes that they are no more, so that it takes the index and not the first it meets.
-- Parameters: query (a tsquery), at_most. Locks: none. Rows: one a finding.
SELECT finding_id
  FROM (SELECT finding_id FROM finding_words WHERE words @@ %(query)s::tsquery LIMIT %(at_most)s) AS met
 ORDER BY finding_id
