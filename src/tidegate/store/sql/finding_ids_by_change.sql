-- The findings of one page, what changed last first: the lines of the journal from the newest down, each finding at its
-- newest line, between them those that never changed, at the time they were stored. A cursor says how far both are read.
-- OFFSET keeps the planner from gathering what it guesses to be few, and the whole journal with it.
-- Parameters: severity, active, open, since, until, from_id, to_id, tests, feeds, unwatched, left_feeds (null: all),
-- after_line, after_id, at_most. Locks: none. Rows: one a finding.
(SELECT finding.id, journal.id AS line, journal.at
   FROM (SELECT * FROM journal
          WHERE (%(after_line)s::bigint IS NULL OR id < %(after_line)s::bigint)
            AND (%(from_id)s::bigint IS NULL OR finding_id >= %(from_id)s::bigint)
            AND (%(to_id)s::bigint IS NULL OR finding_id <= %(to_id)s::bigint)
          ORDER BY id DESC OFFSET 0) AS journal
  CROSS JOIN LATERAL (SELECT * FROM finding WHERE id = journal.finding_id OFFSET 0) AS finding
  WHERE NOT EXISTS (SELECT FROM journal AS newer
                     WHERE newer.finding_id = journal.finding_id AND newer.id > journal.id)
    AND (%(severity)s::int IS NULL OR finding.severity = %(severity)s::int)
    AND (%(active)s::bool IS NULL OR finding.active = %(active)s::bool)
    AND (%(open)s::bool IS NULL OR finding.open = %(open)s::bool)
    AND (%(since)s::timestamptz IS NULL OR finding.created_at >= %(since)s::timestamptz)
    AND (%(until)s::timestamptz IS NULL OR finding.created_at < %(until)s::timestamptz)
    AND (%(feeds)s::bigint[] IS NULL OR finding.feed_id = ANY (%(feeds)s::bigint[]))
    AND (%(tests)s::bigint[] IS NULL OR (SELECT test_id FROM feed WHERE id = finding.feed_id) IN (SELECT unnest(%(tests)s::bigint[])))
    AND (NOT %(unwatched)s::bool OR finding.feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
            SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                 = (finding.feed_id, finding.family, finding.branch) AND part.last_outcome = 'skipped'))
  LIMIT %(at_most)s)
UNION ALL
(SELECT finding.id, NULL, finding.created_at
   FROM finding
  WHERE NOT EXISTS (SELECT FROM journal WHERE journal.finding_id = finding.id)
    AND (%(after_id)s::bigint IS NULL OR finding.id < %(after_id)s::bigint)
    AND (%(from_id)s::bigint IS NULL OR finding.id >= %(from_id)s::bigint)
    AND (%(to_id)s::bigint IS NULL OR finding.id <= %(to_id)s::bigint)
    AND (%(severity)s::int IS NULL OR finding.severity = %(severity)s::int)
    AND (%(active)s::bool IS NULL OR finding.active = %(active)s::bool)
    AND (%(open)s::bool IS NULL OR finding.open = %(open)s::bool)
    AND (%(since)s::timestamptz IS NULL OR finding.created_at >= %(since)s::timestamptz)
    AND (%(until)s::timestamptz IS NULL OR finding.created_at < %(until)s::timestamptz)
    AND (%(feeds)s::bigint[] IS NULL OR finding.feed_id = ANY (%(feeds)s::bigint[]))
    AND (%(tests)s::bigint[] IS NULL OR (SELECT test_id FROM feed WHERE id = finding.feed_id) IN (SELECT unnest(%(tests)s::bigint[])))
    AND (NOT %(unwatched)s::bool OR finding.feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
            SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                 = (finding.feed_id, finding.family, finding.branch) AND part.last_outcome = 'skipped'))
  ORDER BY finding.id DESC
  LIMIT %(at_most)s)
ORDER BY at DESC, line DESC NULLS LAST, id DESC
LIMIT %(at_most)s
