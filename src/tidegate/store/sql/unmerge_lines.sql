-- What a step merged and is not taken apart yet, in a range of keys: each finding at the destination, and its line.
-- Parameters: destination, step, low, high. Locks: the caller holds the Record. Rows: one a finding.
SELECT finding.id AS finding_id, journal.id AS line, journal.kind
  FROM finding
  JOIN journal ON journal.finding_id = finding.id
 WHERE finding.feed_id = %(destination)s
   AND finding.key_hash BETWEEN %(low)s::uuid AND %(high)s::uuid
   AND journal.kind IN ('moved', 'merged')
   AND journal.before ->> 'step' = %(step)s
   AND NOT EXISTS (
       SELECT FROM journal AS later
        WHERE later.finding_id = finding.id AND later.id > journal.id
          AND later.kind = 'undone' AND later.before ->> 'step' = %(step)s
   )
