-- Findings that are only at the source go over; the others close as merged.
-- Parameters: source, destination. Locks: the caller holds the Record. Rows: one a finding.
UPDATE finding
   SET feed_id = CASE WHEN there.id IS NULL THEN %(destination)s ELSE finding.feed_id END,
       open = finding.open AND there.id IS NULL,
       active = finding.active AND there.id IS NULL,
       closed_because = CASE WHEN finding.open AND there.id IS NOT NULL THEN 'merged' ELSE finding.closed_because END,
       closed_operation = CASE WHEN finding.open THEN NULL ELSE finding.closed_operation END,
       closed_at = CASE WHEN finding.open AND there.id IS NOT NULL THEN now() ELSE finding.closed_at END
  FROM finding AS this
  LEFT JOIN finding AS there
    ON there.feed_id = %(destination)s
   AND (there.family, there.branch, there.key_hash) = (this.family, this.branch, this.key_hash)
 WHERE finding.id = this.id
   AND this.feed_id = %(source)s
   AND (there.id IS NULL OR finding.open)
