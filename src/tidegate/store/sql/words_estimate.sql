-- How many findings have all these words, as the planner's statistics know it.
-- Parameters: query (a tsquery). Locks: none. Rows: one.
EXPLAIN (FORMAT JSON) SELECT FROM finding_words WHERE words @@ %(query)s::tsquery
