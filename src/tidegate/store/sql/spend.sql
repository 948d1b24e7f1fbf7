-- Adds where the time of this attempt went, and what the vendor answered, to what earlier attempts noted.
-- Parameters: operation, attempt, seconds, calls (objects of numbers). Locks: the Operation. Rows: one, or none if lost.
UPDATE operation
   SET seconds = (SELECT coalesce(jsonb_object_agg(word, number), '{}') FROM (
           SELECT key AS word, round(sum(value::numeric), 3) AS number
             FROM (SELECT * FROM jsonb_each_text(operation.seconds) UNION ALL SELECT * FROM jsonb_each_text(%(seconds)s::jsonb)) AS spent
            GROUP BY key) AS added),
       calls = (SELECT coalesce(jsonb_object_agg(word, number), '{}') FROM (
           SELECT key AS word, sum(value::bigint) AS number
             FROM (SELECT * FROM jsonb_each_text(operation.calls) UNION ALL SELECT * FROM jsonb_each_text(%(calls)s::jsonb)) AS made
            GROUP BY key) AS added)
 WHERE id = %(operation)s AND attempt = %(attempt)s AND status = 'running'
