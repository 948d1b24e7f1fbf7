-- Findings that have to be looked at before a Test there is as ours is: those that somebody wrote since (another xmin than
-- the one that was looked at: every change of a finding, and every decision about it, writes its row), also where they lie
-- in another Test by now; and the open ones that were never written there. One pass by joins; none where nothing changed.
-- Parameters: delivered (0 where nothing was delivered yet), test, after (finding), at_most. Locks: none. Rows: one with
-- their numbers, ascending.
SELECT coalesce(array_agg(due.id), '{}') AS findings
  FROM (
    SELECT id
      FROM (
        SELECT finding.id
          FROM delivered_finding AS there
          JOIN finding ON finding.id = there.finding_id
         WHERE there.delivered_test_id = %(delivered)s AND NOT there.gone AND there.finding_id > %(after)s
           AND finding.xmin::text::bigint <> there.version
        UNION ALL
        SELECT finding.id
          FROM feed
          JOIN finding ON finding.feed_id = feed.id
         WHERE feed.test_id = %(test)s AND finding.open AND finding.id > %(after)s
           AND NOT EXISTS (SELECT FROM delivered_finding AS there
                            WHERE there.delivered_test_id = %(delivered)s AND there.finding_id = finding.id)
      ) AS found
     ORDER BY id
     LIMIT %(at_most)s
  ) AS due
