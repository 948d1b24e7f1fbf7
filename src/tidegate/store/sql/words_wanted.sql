-- Findings of a Feed that get their words next, behind one of them, in the order of their numbers; of one Operation,
-- where one is given: then they lie together, and the index of Operations (BRIN) finds them.
-- Parameters: feed, operation (null for all), after (finding), at_most. Locks: none. Rows: one a finding.
SELECT id
  FROM (SELECT id FROM finding
         WHERE feed_id = %(feed)s AND id > %(after)s
           AND (%(operation)s::bigint IS NULL OR created_operation = %(operation)s::bigint)
        OFFSET 0) AS wanted
 ORDER BY id
 LIMIT %(at_most)s
