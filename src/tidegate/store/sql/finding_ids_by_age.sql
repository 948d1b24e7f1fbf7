-- The findings of one page along their numbers: they rise with the time at which findings were stored.
-- Parameters: severity, active, open, since, until, from_id, to_id, tests, feeds, unwatched, left_feeds (null: all),
-- oldest (first), after_id, at_most. Locks: none. Rows: one a finding.
SELECT id, 0 AS first, CASE WHEN %(oldest)s::bool THEN -id ELSE id END AS second
  FROM (
    (SELECT finding.id
       FROM finding
      WHERE NOT %(oldest)s::bool
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
    UNION ALL
    (SELECT finding.id
       FROM finding
      WHERE %(oldest)s::bool
        AND (%(after_id)s::bigint IS NULL OR finding.id > %(after_id)s::bigint)
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
      ORDER BY finding.id
      LIMIT %(at_most)s)
 ) AS found
 ORDER BY second DESC
