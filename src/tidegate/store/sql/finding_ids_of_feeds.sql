-- The findings of one page out of some thousand Feeds at most. The tally says which of them hold what, so nothing is
-- looked at that is not there; and where the worst come first, only the severities that fill the page.
-- Parameters: severity, active, open, since, until, from_id, to_id, feeds, unwatched, left_feeds (null: all), by
-- (severity, newest, oldest), after_severity, after_id, at_most. Locks: none. Rows: one a finding.
WITH held AS (
    SELECT feed_id, severity, active, sum(n) AS n
      FROM tally
     WHERE feed_id = ANY (%(feeds)s::bigint[]) AND n > 0
       AND (%(severity)s::int IS NULL OR severity = %(severity)s::int)
       AND (%(active)s::bool IS NULL OR active = %(active)s::bool)
       AND (%(open)s::bool IS NULL OR open = %(open)s::bool)
       AND (%(after_severity)s::int IS NULL OR severity <= %(after_severity)s::int)
       AND (NOT %(unwatched)s::bool OR feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
               SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                    = (tally.feed_id, tally.family, tally.branch) AND part.last_outcome = 'skipped'))
     GROUP BY feed_id, severity, active
), filled AS (
    SELECT severity, sum(sum(n)) OVER (ORDER BY severity DESC) - sum(n) AS worse
      FROM held
     WHERE severity IS DISTINCT FROM %(after_severity)s::int
     GROUP BY severity
), bucket AS (
    SELECT held.feed_id, held.severity, held.active
      FROM held
      LEFT JOIN filled USING (severity)
     WHERE filled.worse IS NULL OR filled.worse < %(at_most)s OR %(by)s <> 'severity'
        -- Ages are not in the tally: every severity may be needed.
        OR %(since)s::timestamptz IS NOT NULL OR %(until)s::timestamptz IS NOT NULL
)
SELECT found.id, CASE WHEN %(by)s = 'severity' THEN bucket.severity ELSE 0 END AS first,
       CASE WHEN %(by)s = 'oldest' THEN -found.id ELSE found.id END AS second
  FROM bucket
 CROSS JOIN LATERAL (
    (SELECT finding.id
       FROM finding
      WHERE %(by)s <> 'oldest'
        AND finding.feed_id = bucket.feed_id AND finding.active = bucket.active AND finding.severity = bucket.severity
        AND finding.id < CASE WHEN %(by)s <> 'severity' OR bucket.severity = %(after_severity)s::int
                              THEN coalesce(%(after_id)s::bigint, 9223372036854775807) ELSE 9223372036854775807 END
        AND (%(from_id)s::bigint IS NULL OR finding.id >= %(from_id)s::bigint)
        AND (%(to_id)s::bigint IS NULL OR finding.id <= %(to_id)s::bigint)
        AND (%(open)s::bool IS NULL OR finding.open = %(open)s::bool)
        AND (%(since)s::timestamptz IS NULL OR finding.created_at >= %(since)s::timestamptz)
        AND (%(until)s::timestamptz IS NULL OR finding.created_at < %(until)s::timestamptz)
        AND (NOT %(unwatched)s::bool OR finding.feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
                SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                     = (finding.feed_id, finding.family, finding.branch) AND part.last_outcome = 'skipped'))
      ORDER BY finding.id DESC
      LIMIT %(at_most)s)
    UNION ALL
    (SELECT finding.id
       FROM finding
      WHERE %(by)s = 'oldest'
        AND finding.feed_id = bucket.feed_id AND finding.active = bucket.active AND finding.severity = bucket.severity
        AND finding.id > coalesce(%(after_id)s::bigint, 0)
        AND (%(from_id)s::bigint IS NULL OR finding.id >= %(from_id)s::bigint)
        AND (%(to_id)s::bigint IS NULL OR finding.id <= %(to_id)s::bigint)
        AND (%(open)s::bool IS NULL OR finding.open = %(open)s::bool)
        AND (%(since)s::timestamptz IS NULL OR finding.created_at >= %(since)s::timestamptz)
        AND (%(until)s::timestamptz IS NULL OR finding.created_at < %(until)s::timestamptz)
        AND (NOT %(unwatched)s::bool OR finding.feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
                SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                     = (finding.feed_id, finding.family, finding.branch) AND part.last_outcome = 'skipped'))
      ORDER BY finding.id
      LIMIT %(at_most)s)
 ) AS found
 ORDER BY first DESC, second DESC
 LIMIT %(at_most)s
