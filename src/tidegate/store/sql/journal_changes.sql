-- What changed findings were before, only what differs; a newer mapping's rewriting is one line of the Operation, not here.
-- Parameters: operation, actor. Locks: the caller holds the Record. Rows: one a change.
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT finding.id, %(operation)s, %(actor)s,
       CASE compared.kind WHEN 2 THEN 'changed' WHEN 4 THEN 'reopened' ELSE 'closed' END,
       jsonb_strip_nulls(jsonb_build_object(
           'open', CASE WHEN compared.kind <> 2 THEN finding.open END,
           'closed_because', CASE WHEN compared.kind = 4 THEN finding.closed_because END,
           'closed_operation', CASE WHEN compared.kind = 4 THEN finding.closed_operation END,
           'closed_at', CASE WHEN compared.kind = 4 THEN finding.closed_at END,
           'severity_vendor', CASE WHEN finding.severity_vendor <> compared.severity_vendor THEN finding.severity_vendor END,
           'severity', CASE WHEN finding.severity <> compared.severity THEN finding.severity END,
           'vendor_verdict', CASE WHEN finding.vendor_verdict <> compared.verdict THEN finding.vendor_verdict END,
           'title', CASE WHEN finding.title <> incoming.title THEN finding.title END
       )) || CASE WHEN finding.fields = incoming.fields THEN '{}' ELSE jsonb_build_object('fields', (
           -- Key by key: cheaper than to join both. What is large is unpacked once.
           SELECT jsonb_object_agg(key, was -> key)
             FROM (SELECT finding.fields || '{}' AS was, incoming.fields || '{}' AS becomes OFFSET 0) AS unpacked,
                  jsonb_object_keys(was || becomes) AS key
            WHERE was -> key IS DISTINCT FROM becomes -> key
       )) END
  FROM compared
  JOIN finding ON finding.id = compared.finding_id
  JOIN incoming ON incoming.finding_id = compared.finding_id
 WHERE compared.kind IN (2, 4, 5, 6)
