-- Undoing a merge: closings that wait go back with their findings.
-- Parameters: source (where they go back to); findings (from unmerge_lines). Locks: the caller holds the Record.
-- Rows: one a closing.
UPDATE held
   SET feed_id = %(source)s, finding_id = coalesce(twin.id, finding.id)
  FROM unnest(%(findings)s::bigint[]) AS these (id)
  JOIN finding ON finding.id = these.id
  LEFT JOIN finding AS twin
    ON twin.feed_id = %(source)s
   AND (twin.family, twin.branch, twin.key_hash) = (finding.family, finding.branch, finding.key_hash)
 WHERE held.finding_id = finding.id
