-- The Feeds in which a step did something to findings: closed, moved or merged them.
-- Parameters: step. Locks: the caller holds the Records. Rows: one a Feed.
SELECT DISTINCT finding.feed_id
  FROM journal
  JOIN finding ON finding.id = journal.finding_id
 WHERE journal.before ->> 'step' = %(step)s
