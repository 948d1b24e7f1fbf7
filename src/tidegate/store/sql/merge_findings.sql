-- Findings that are only at the source go over; the others close as merged.
-- Parameters: destination; sources and theres (pairwise). Locks: the caller holds the Record. Rows: one a finding.
UPDATE finding
   SET feed_id = CASE WHEN pair.there_id IS NULL THEN %(destination)s ELSE finding.feed_id END,
       open = finding.open AND pair.there_id IS NULL,
       active = finding.active AND pair.there_id IS NULL,
       closed_because = CASE
           WHEN finding.open AND pair.there_id IS NOT NULL THEN 'merged' ELSE finding.closed_because
       END,
       closed_operation = CASE WHEN finding.open THEN NULL ELSE finding.closed_operation END,
       closed_at = CASE WHEN finding.open AND pair.there_id IS NOT NULL THEN now() ELSE finding.closed_at END
  FROM unnest(%(sources)s::bigint[], %(theres)s::bigint[]) AS pair (source_id, there_id)
 WHERE finding.id = pair.source_id
   AND (pair.there_id IS NULL OR finding.open)
