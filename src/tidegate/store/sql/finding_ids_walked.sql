-- The first findings along their numbers, out of so many that are looked at: fills a page at once where what is asked for
-- is not rare there. The oldest are looked for from the first that any of the Feeds holds.
-- Parameters: severity, active, open, since, until, from_id, to_id, tests, feeds, unwatched, left_feeds (null: all),
-- oldest (first), after_id, looked_at, at_most. Locks: none. Rows: one a finding.
WITH scope AS MATERIALIZED (
    SELECT id, first_finding
      FROM feed
     WHERE (%(feeds)s::bigint[] IS NULL OR id = ANY (%(feeds)s::bigint[]))
       AND (%(tests)s::bigint[] IS NULL OR test_id = ANY (%(tests)s::bigint[]))
)
SELECT finding.id, 0 AS first, CASE WHEN %(oldest)s::bool THEN -finding.id ELSE finding.id END AS second
  FROM (
    (SELECT *
       FROM finding
      WHERE NOT %(oldest)s::bool
        AND (%(after_id)s::bigint IS NULL OR id < %(after_id)s::bigint)
        AND (%(from_id)s::bigint IS NULL OR id >= %(from_id)s::bigint)
        AND (%(to_id)s::bigint IS NULL OR id <= %(to_id)s::bigint)
      ORDER BY id DESC
      LIMIT %(looked_at)s)
    UNION ALL
    (SELECT *
       FROM finding
      WHERE %(oldest)s::bool
        AND id >= (SELECT coalesce(min(first_finding), 0) FROM scope)
        AND (%(after_id)s::bigint IS NULL OR id > %(after_id)s::bigint)
        AND (%(from_id)s::bigint IS NULL OR id >= %(from_id)s::bigint)
        AND (%(to_id)s::bigint IS NULL OR id <= %(to_id)s::bigint)
      ORDER BY id
      LIMIT %(looked_at)s)
  ) AS finding
 WHERE (%(severity)s::int IS NULL OR finding.severity = %(severity)s::int)
   AND (%(active)s::bool IS NULL OR finding.active = %(active)s::bool)
   AND (%(open)s::bool IS NULL OR finding.open = %(open)s::bool)
   AND (%(since)s::timestamptz IS NULL OR finding.created_at >= %(since)s::timestamptz)
   AND (%(until)s::timestamptz IS NULL OR finding.created_at < %(until)s::timestamptz)
   AND finding.feed_id IN (SELECT id FROM scope)
   AND (NOT %(unwatched)s::bool OR finding.feed_id = ANY (%(left_feeds)s::bigint[]) OR EXISTS (
           SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                = (finding.feed_id, finding.family, finding.branch) AND part.last_outcome = 'skipped'))
 ORDER BY second DESC
 LIMIT %(at_most)s
