-- The first findings along their numbers, out of so many that are looked at: fills a page at once where what is asked for
-- is not rare there. The oldest are looked for from the first that any of the Feeds holds.
-- Parameters: severity, active, open, since, until, from_id, to_id, tests, feeds, unwatched, left_feeds (null: all),
-- oldest (first), after_id, looked_at, at_most. Locks: none. Rows: one a finding.
WITH walked AS MATERIALIZED (
    (SELECT id, feed_id, severity, active, open, created_at, family, branch
       FROM finding
      WHERE NOT %(oldest)s::bool
        AND (%(after_id)s::bigint IS NULL OR id < %(after_id)s::bigint)
        AND (%(from_id)s::bigint IS NULL OR id >= %(from_id)s::bigint)
        AND (%(to_id)s::bigint IS NULL OR id <= %(to_id)s::bigint)
      ORDER BY id DESC
      LIMIT %(looked_at)s)
    UNION ALL
    (SELECT id, feed_id, severity, active, open, created_at, family, branch
       FROM finding
      WHERE %(oldest)s::bool
        AND id >= coalesce(
                (SELECT min(first_finding) FROM feed WHERE id = ANY (%(feeds)s::bigint[])),
                (SELECT min(first)
                   FROM unnest(%(tests)s::bigint[]) AS asked (test_id)
                  CROSS JOIN LATERAL (SELECT min(first_finding) AS first FROM feed WHERE test_id = asked.test_id) AS of_test),
                0)
        AND (%(after_id)s::bigint IS NULL OR id > %(after_id)s::bigint)
        AND (%(from_id)s::bigint IS NULL OR id >= %(from_id)s::bigint)
        AND (%(to_id)s::bigint IS NULL OR id <= %(to_id)s::bigint)
      ORDER BY id
      LIMIT %(looked_at)s)
), scope AS MATERIALIZED (
    SELECT feed_id AS id
      FROM (SELECT DISTINCT feed_id FROM walked) AS met
     WHERE (%(feeds)s::bigint[] IS NULL OR feed_id IN (SELECT unnest(%(feeds)s::bigint[])))
       AND (%(tests)s::bigint[] IS NULL OR (SELECT test_id FROM feed WHERE id = feed_id) IN (SELECT unnest(%(tests)s::bigint[])))
)
SELECT finding.id, 0 AS first, CASE WHEN %(oldest)s::bool THEN -finding.id ELSE finding.id END AS second
  FROM walked AS finding
 WHERE (%(severity)s::int IS NULL OR finding.severity = %(severity)s::int)
   AND (%(active)s::bool IS NULL OR finding.active = %(active)s::bool)
   AND (%(open)s::bool IS NULL OR finding.open = %(open)s::bool)
   AND (%(since)s::timestamptz IS NULL OR finding.created_at >= %(since)s::timestamptz)
   AND (%(until)s::timestamptz IS NULL OR finding.created_at < %(until)s::timestamptz)
   AND finding.feed_id IN (SELECT id FROM scope)
   AND (NOT %(unwatched)s::bool OR finding.feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
           SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                = (finding.feed_id, finding.family, finding.branch) AND part.last_outcome = 'skipped'))
 ORDER BY second DESC
 LIMIT %(at_most)s
