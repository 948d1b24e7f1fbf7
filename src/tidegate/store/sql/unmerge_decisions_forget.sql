-- Undoing a merge: the destination forgets what it took over, before it gets back what it had.
-- Parameters: destination; findings (from unmerge_lines). Locks: the caller holds the Record. Rows: one a decision.
DELETE FROM decision
 USING unnest(%(findings)s::bigint[]) AS these (id)
  JOIN finding ON finding.id = these.id
 WHERE (decision.feed_id, decision.family, decision.key_hash) = (%(destination)s, finding.family, finding.key_hash)
