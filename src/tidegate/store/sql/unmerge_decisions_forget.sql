-- Undoing a merge: the destination forgets what it took over, before it gets back what it had.
-- Parameters: destination, step. Locks: the caller holds the Record. Rows: one a decision.
DELETE FROM decision
 USING finding, journal
 WHERE decision.feed_id = %(destination)s
   AND (finding.feed_id, finding.family, finding.key_hash) = (decision.feed_id, decision.family, decision.key_hash)
   AND journal.finding_id = finding.id
   AND journal.kind IN ('moved', 'merged')
   AND journal.before ->> 'step' = %(step)s
