-- How many findings are not searchable yet, or not by their newest words; of very much that waits only the beginning.
-- Parameters: tests (null for all), at_most. Locks: none. Rows: one.
SELECT coalesce(sum(
           CASE
               WHEN due.operation_id IS NULL AND due.finding_id IS NOT NULL THEN 1
               WHEN due.operation_id > 0 THEN coalesce((
                   SELECT sum((result.counts ->> 'created')::bigint) FROM result
                    WHERE result.operation_id = due.operation_id AND result.feed_id = due.feed_id AND result.family = ''), 1)
               ELSE (SELECT coalesce(sum(tally.n), 0) FROM tally WHERE tally.feed_id = due.feed_id)
           END), 0)::bigint AS findings,
       count(*) = %(at_most)s AS more
  FROM (SELECT * FROM words_due
         WHERE %(tests)s::bigint[] IS NULL
            OR feed_id IN (SELECT id FROM feed WHERE test_id IN (SELECT unnest(%(tests)s::bigint[])))
         ORDER BY id LIMIT %(at_most)s) AS due
