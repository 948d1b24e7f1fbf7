-- How many findings are as asked for: from the tally, and only until there are more than anybody counts. Where Feeds are
-- asked for, it goes from each to its tallies, so that what is looked at counts.
-- Parameters: severity, active, open, tests, feeds, unwatched, left_feeds (null: all), at_most (rows of tally).
-- Locks: none. Rows: one.
SELECT coalesce(sum(n), 0)::bigint AS n, count(*) = %(at_most)s AS cut
  FROM (
    SELECT tally.n
      FROM tally
     WHERE tally.n > 0 AND %(tests)s::bigint[] IS NULL AND %(feeds)s::bigint[] IS NULL
       AND (%(severity)s::int IS NULL OR tally.severity = %(severity)s::int)
       AND (%(active)s::bool IS NULL OR tally.active = %(active)s::bool)
       AND (%(open)s::bool IS NULL OR tally.open = %(open)s::bool)
       AND (NOT %(unwatched)s::bool OR tally.feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
               SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                    = (tally.feed_id, tally.family, tally.branch) AND part.last_outcome = 'skipped'))
    UNION ALL
    SELECT tally.n
      FROM (SELECT id FROM feed
             WHERE (%(tests)s::bigint[] IS NOT NULL OR %(feeds)s::bigint[] IS NOT NULL)
               AND (%(feeds)s::bigint[] IS NULL OR id = ANY (%(feeds)s::bigint[]))
               AND (%(tests)s::bigint[] IS NULL OR test_id IN (SELECT unnest(%(tests)s::bigint[])))
            OFFSET 0) AS feed
     CROSS JOIN LATERAL (SELECT * FROM tally WHERE tally.feed_id = feed.id OFFSET 0) AS tally
     WHERE tally.n > 0
       AND (%(severity)s::int IS NULL OR tally.severity = %(severity)s::int)
       AND (%(active)s::bool IS NULL OR tally.active = %(active)s::bool)
       AND (%(open)s::bool IS NULL OR tally.open = %(open)s::bool)
       AND (NOT %(unwatched)s::bool OR tally.feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
               SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                    = (tally.feed_id, tally.family, tally.branch) AND part.last_outcome = 'skipped'))
     LIMIT %(at_most)s
 ) AS counted
