-- Carries changes, rewritings, reopenings and closings by evidence into the findings.
-- Parameters: operation, mapping_version. Locks: the caller holds the Record. Rows: one a change.
UPDATE finding
   SET fingerprint = compared.fingerprint,
       mapping_version = %(mapping_version)s,
       severity_vendor = compared.severity_vendor,
       severity = compared.severity,
       vendor_verdict = compared.verdict,
       open = compared.kind IN (2, 3, 4),
       active = compared.active,
       closed_because = CASE compared.kind WHEN 5 THEN 'fixed' WHEN 6 THEN 'threshold' END,
       closed_operation = CASE WHEN compared.kind IN (5, 6) THEN %(operation)s END,
       closed_at = CASE WHEN compared.kind IN (5, 6) THEN now() END,
       changed_operation = %(operation)s,
       title = incoming.title,
       fields = incoming.fields
  FROM compared
  JOIN incoming ON incoming.finding_id = compared.finding_id
 WHERE finding.id = compared.finding_id AND compared.kind BETWEEN 2 AND 6
