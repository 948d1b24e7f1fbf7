-- How many findings an undo of a step has still to put back or to open: what went over or was merged into, and what it
-- closed at the source.
-- Parameters: source, destination (null where it only closed), step. Locks: the caller holds the Record. Rows: one.
SELECT count(*) AS to_go
  FROM finding
  JOIN journal ON journal.finding_id = finding.id
 WHERE journal.before ->> 'step' = %(step)s
   AND (
       (finding.feed_id = %(destination)s AND journal.kind IN ('moved', 'merged')
        AND NOT EXISTS (
            SELECT FROM journal AS later
             WHERE later.finding_id = finding.id AND later.id > journal.id
               AND later.kind = 'undone' AND later.before ->> 'step' = %(step)s))
       OR (finding.feed_id = %(source)s AND journal.kind = 'closed' AND finding.closed_because IN ('person', 'merged'))
   )
