-- Findings that have all these words: a few thousand, or one more than at_most as a sign that there are too many for this way.
-- Parameters: query (a tsquery), at_most. Locks: none. Rows: one a finding.
SELECT finding_id FROM finding_words WHERE words @@ %(query)s::tsquery LIMIT %(at_most)s
