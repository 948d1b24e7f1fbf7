-- Undoing a merge: closings that wait go back with their findings.
-- Parameters: source (where they go back to), destination, step. Locks: the caller holds the Record. Rows: one a closing.
UPDATE held
   SET feed_id = %(source)s, finding_id = coalesce(twin.id, finding.id)
  FROM finding
  JOIN journal ON journal.finding_id = finding.id AND journal.before ->> 'step' = %(step)s
  LEFT JOIN finding AS twin
    ON twin.feed_id = %(source)s
   AND (twin.family, twin.branch, twin.key_hash) = (finding.family, finding.branch, finding.key_hash)
 WHERE held.finding_id = finding.id AND finding.feed_id = %(destination)s AND journal.kind IN ('moved', 'merged')
