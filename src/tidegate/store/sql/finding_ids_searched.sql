-- Which of these findings have all words that are looked for, this CWE, this component: each looked up by its number.
-- Parameters: given, query (a tsquery), cwe, component; of the last three null asks for nothing. Locks: none.
-- Rows: one a finding, the oldest first. OFFSET and IS TRUE keep the planner from gathering all findings that have these
-- words.
SELECT given.id
  FROM unnest(%(given)s::bigint[]) AS given (id)
 CROSS JOIN LATERAL (SELECT fields FROM finding WHERE finding.id = given.id OFFSET 0) AS finding
 WHERE (%(cwe)s::int IS NULL OR finding.fields -> 'cwe' @> to_jsonb(%(cwe)s::int))
   AND (%(component)s::text IS NULL OR lower(finding.fields ->> 'component') = lower(%(component)s::text))
   AND (%(query)s::tsquery IS NULL OR (
           SELECT words @@ %(query)s::tsquery FROM finding_words WHERE finding_id = given.id) IS TRUE)
 ORDER BY given.id
