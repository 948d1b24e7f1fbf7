-- The findings of one page, the worst first, then the newest: of each severity, active or not, the first ones along the
-- index finding_list. Where many Feeds are asked for, each finding is looked at for its Feed on the way.
-- Parameters: severity, active, open, since, until, from_id, to_id, tests, feeds, unwatched, left_feeds (null: all),
-- after_severity, after_id, worst, least (severities), at_most. Locks: none. Rows: one a finding.
SELECT found.id, bucket.severity AS first, found.id AS second
  FROM (SELECT severity, active
          FROM generate_series(%(least)s::int, %(worst)s::int) AS severity CROSS JOIN (VALUES (true), (false)) AS standing (active)
         WHERE (%(severity)s::int IS NULL OR severity = %(severity)s::int)
           AND (%(active)s::bool IS NULL OR active = %(active)s::bool)
           AND (%(after_severity)s::int IS NULL OR severity <= %(after_severity)s::int)) AS bucket
 CROSS JOIN LATERAL (
    SELECT finding.id
      FROM finding
     WHERE finding.active = bucket.active AND finding.severity = bucket.severity
       AND finding.id < CASE WHEN bucket.severity = %(after_severity)s::int THEN %(after_id)s::bigint
                             ELSE 9223372036854775807 END
       AND (%(from_id)s::bigint IS NULL OR finding.id >= %(from_id)s::bigint)
       AND (%(to_id)s::bigint IS NULL OR finding.id <= %(to_id)s::bigint)
       AND (%(open)s::bool IS NULL OR finding.open = %(open)s::bool)
       AND (%(since)s::timestamptz IS NULL OR finding.created_at >= %(since)s::timestamptz)
       AND (%(until)s::timestamptz IS NULL OR finding.created_at < %(until)s::timestamptz)
       AND (%(feeds)s::bigint[] IS NULL OR finding.feed_id = ANY (%(feeds)s::bigint[]))
       AND (%(tests)s::bigint[] IS NULL OR (SELECT test_id FROM feed WHERE id = finding.feed_id) IN (SELECT unnest(%(tests)s::bigint[])))
       AND (NOT %(unwatched)s::bool OR finding.feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
               SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                    = (finding.feed_id, finding.family, finding.branch) AND part.last_outcome = 'skipped'))
     ORDER BY finding.id DESC
     LIMIT %(at_most)s
 ) AS found
 ORDER BY first DESC, second DESC
 LIMIT %(at_most)s
