-- The finding at the destination takes the opening of the same one at the source, and what was decided of it.
-- Parameters: source, destination. Locks: the caller holds the Record. Rows: one a finding that is in both.
UPDATE finding
   SET open = source.open,
       closed_because = source.closed_because,
       closed_operation = source.closed_operation,
       closed_at = source.closed_at,
       severity = coalesce(said.severity, finding.severity_vendor),
       active = source.open AND CASE
           WHEN said.verdict IS NULL THEN finding.vendor_verdict = 0 ELSE said.verdict = 'real'
       END
  FROM finding AS source
  LEFT JOIN (
    SELECT family, key_hash,
           min(value) FILTER (WHERE field = 'severity')::smallint AS severity,
           min(value) FILTER (WHERE field = 'verdict' AND (until IS NULL OR until > now())) AS verdict
      FROM decision
     WHERE feed_id = %(destination)s
     GROUP BY family, key_hash
  ) AS said ON said.family = source.family AND said.key_hash = source.key_hash
 WHERE source.feed_id = %(source)s
   AND finding.feed_id = %(destination)s
   AND (finding.family, finding.branch, finding.key_hash) = (source.family, source.branch, source.key_hash)
