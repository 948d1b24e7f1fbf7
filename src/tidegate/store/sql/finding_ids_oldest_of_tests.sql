-- The oldest findings of some Tests: all that their Feeds hold are looked at, since a walk along the numbers would meet
-- whatever others imported before. OFFSET keeps the planner from that walk.
-- Parameters: severity, active, open, since, until, from_id, to_id, tests, unwatched, left_feeds (null: all), after_id,
-- at_most. Locks: none. Rows: one a finding.
SELECT found.id, 0 AS first, -found.id AS second
  FROM feed
 CROSS JOIN LATERAL (
    SELECT finding.id
      FROM finding
     WHERE finding.feed_id = feed.id
       AND (%(after_id)s::bigint IS NULL OR finding.id > %(after_id)s::bigint)
       AND (%(from_id)s::bigint IS NULL OR finding.id >= %(from_id)s::bigint)
       AND (%(to_id)s::bigint IS NULL OR finding.id <= %(to_id)s::bigint)
       AND (%(severity)s::int IS NULL OR finding.severity = %(severity)s::int)
       AND (%(active)s::bool IS NULL OR finding.active = %(active)s::bool)
       AND (%(open)s::bool IS NULL OR finding.open = %(open)s::bool)
       AND (%(since)s::timestamptz IS NULL OR finding.created_at >= %(since)s::timestamptz)
       AND (%(until)s::timestamptz IS NULL OR finding.created_at < %(until)s::timestamptz)
       AND (NOT %(unwatched)s::bool OR finding.feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
               SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                    = (finding.feed_id, finding.family, finding.branch) AND part.last_outcome = 'skipped'))
    OFFSET 0
 ) AS found
 WHERE feed.test_id IN (SELECT unnest(%(tests)s::bigint[]))
 ORDER BY found.id
 LIMIT %(at_most)s
