-- Their words are to be indexed some seconds later: all that was created, as one line; and each that changed.
-- Parameters: feed, operation, created (whether there are any). Locks: none. Rows: one, and one a change.
INSERT INTO words_due (feed_id, operation_id, finding_id)
SELECT %(feed)s, %(operation)s::bigint, NULL::bigint WHERE %(created)s
UNION ALL
SELECT %(feed)s, NULL, finding_id FROM compared WHERE kind BETWEEN 2 AND 6
