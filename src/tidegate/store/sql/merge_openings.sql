-- The finding at the destination takes the opening of the same one at the source, and what was decided of it.
-- Parameters: destination; sources and theres (pairwise). Locks: the caller holds the Record.
-- Rows: one a finding that is in both.
WITH met AS MATERIALIZED (
    SELECT there_id, source.open, source.closed_because, source.closed_operation, source.closed_at, said.severity,
           said.verdict
      FROM unnest(%(sources)s::bigint[], %(theres)s::bigint[]) AS pair (source_id, there_id)
      JOIN finding AS source ON source.id = pair.source_id
     CROSS JOIN LATERAL (
        SELECT min(value) FILTER (WHERE field = 'severity')::smallint AS severity,
               min(value) FILTER (WHERE field = 'verdict' AND (until IS NULL OR until > now())) AS verdict
          FROM decision
         WHERE (feed_id, family, key_hash) = (%(destination)s, source.family, source.key_hash)
     ) AS said
     WHERE there_id IS NOT NULL
)
UPDATE finding
   SET open = met.open,
       closed_because = met.closed_because,
       closed_operation = met.closed_operation,
       closed_at = met.closed_at,
       severity = coalesce(met.severity, finding.severity_vendor),
       active = met.open AND CASE
           WHEN met.verdict IS NULL THEN finding.vendor_verdict = 0 ELSE met.verdict = 'real'
       END
  FROM met
 WHERE finding.id = met.there_id
