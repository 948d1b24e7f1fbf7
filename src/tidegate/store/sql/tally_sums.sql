-- How many findings lie in these Tests, from the tallies of their Feeds; and how many of them are open where no Sync looks
-- any more (as reads/count.py says it).
-- Parameters: tests. Locks: none. Rows: one a Test, severity, openness, activity.
SELECT feed.test_id AS of, tally.severity, tally.open, tally.active, sum(tally.n::int8)::int8 AS n,
       coalesce(sum(tally.n) FILTER (WHERE tally.open AND (feed.behind OR connection.deleted_at IS NOT NULL OR EXISTS (
           SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                = (tally.feed_id, tally.family, tally.branch) AND part.last_outcome = 'skipped'))), 0)::int8
           AS unwatched
  FROM feed
  JOIN record ON record.id = feed.record_id
  JOIN connection ON connection.id = record.connection_id
  JOIN tally ON tally.feed_id = feed.id
 WHERE feed.test_id = ANY (%(tests)s::bigint[]) AND tally.n > 0
 GROUP BY feed.test_id, tally.severity, tally.open, tally.active
 ORDER BY tally.severity DESC
