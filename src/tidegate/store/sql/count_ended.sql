-- Adds what an ended Operation did to the totals of its Tool; of a preview only what it cost. Totals are locked in one
-- order, whoever adds to them.
-- Parameters: operation. Locks: the totals it adds to, until the end of the transaction. Rows: one a total.
INSERT INTO total (name, tool, word, number)
SELECT counted.name, connection.tool, counted.word, sum(counted.number)
  FROM operation
  JOIN connection ON connection.id = operation.connection_id
 CROSS JOIN LATERAL (
    SELECT 'operations' AS name, operation.type || ':' || operation.status AS word, 1::float8 AS number
     WHERE NOT operation.preview
    UNION ALL
    SELECT 'findings', key, value::float8 FROM jsonb_each_text(operation.counts)
     WHERE operation.type = 'sync' AND NOT operation.preview
       AND key IN ('created', 'updated', 'closed', 'reopened', 'rewritten', 'held')
    UNION ALL
    SELECT 'records', key, value::float8 FROM jsonb_each_text(operation.counts)
     WHERE operation.type = 'discover' AND NOT operation.preview
       AND key IN ('new', 'missing', 'back', 'revived', 'renamed', 'held')
    UNION ALL
    SELECT 'quarantined', operation.type, value::float8 FROM jsonb_each_text(operation.counts)
     WHERE key = 'quarantined' AND NOT operation.preview
    UNION ALL
    -- A vendor chooses its own status: what is neither a number of three digits nor a word of ours is not told apart.
    SELECT 'calls', CASE WHEN key ~ '^([1-5][0-9]{2}|[a-z_ ]{1,24})$' THEN key ELSE 'other' END, value::float8
      FROM jsonb_each_text(operation.calls)
    UNION ALL
    SELECT 'seconds', key, value::float8 FROM jsonb_each_text(operation.seconds)
 ) AS counted
 WHERE operation.id = %(operation)s AND counted.number > 0
 GROUP BY counted.name, connection.tool, counted.word
 ORDER BY counted.name, connection.tool, counted.word
    ON CONFLICT (name, tool, word) DO UPDATE SET number = total.number + excluded.number
