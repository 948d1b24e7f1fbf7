-- The findings of one page out of given ones, or of those that have all words of a query where no more than so many have:
-- of those that are as asked for the first thousand, the newest, in the order asked for. By rank: the tool's own id, the
-- text in the title as it was typed, each of its words in the title. A row of a finding is long, so hits that words or
-- indexes alone can leave out are left out first: of other Feeds, severities and activities, and those that nobody holds.
-- Parameters: given, query (a tsquery, or null), newest_from (gathered from this number on; null: all), gathered (so many
-- have it at most), looked_at (rows at most), severity, active, open, since, until, from_id, to_id, standing, tests, feeds,
-- unwatched, left_feeds (null: all), text, words, cwe, component, by (rank, severity, newest, oldest, changed), after_first,
-- after_second, after_third, first_hits, at_most. Locks: none. Rows: one a finding, or one without an id; `hits` says how
-- many there are, `met` how many were gathered: more than `gathered` are not looked at; `cut` whether there may be more,
-- for there were too many to look at. OFFSET keeps the planner from reading all findings for some thousand. Of many Tests
-- only those Feeds are looked up that have hits.
WITH met AS MATERIALIZED (
    SELECT finding_id, feed_id
      FROM (SELECT finding_id, feed_id
              FROM finding_words
             WHERE words @@ %(query)s::tsquery
               AND (%(newest_from)s::bigint IS NULL OR finding_id >= %(newest_from)s::bigint)
            OFFSET 0) AS found
     LIMIT %(gathered)s::bigint + 1
), within AS MATERIALIZED (
    SELECT feed_id AS id
      FROM (SELECT DISTINCT feed_id FROM met) AS each
     WHERE (%(feeds)s::bigint[] IS NULL OR feed_id = ANY (%(feeds)s::bigint[]))
       AND (%(tests)s::bigint[] IS NULL OR (SELECT test_id FROM feed WHERE id = feed_id) IN (SELECT unnest(%(tests)s::bigint[])))
), asked AS MATERIALIZED (
    SELECT id FROM unnest(%(given)s::bigint[]) AS given (id)
    UNION ALL
    SELECT finding_id
      FROM met
     WHERE (%(feeds)s::bigint[] IS NULL AND %(tests)s::bigint[] IS NULL) OR feed_id IN (SELECT id FROM within)
), narrowed AS MATERIALIZED (
    SELECT sorted.id
      FROM (SELECT id
              FROM asked
             WHERE (SELECT count(*) FROM met) <= %(gathered)s::bigint
               AND (%(from_id)s::bigint IS NULL OR id >= %(from_id)s::bigint)
               AND (%(to_id)s::bigint IS NULL OR id <= %(to_id)s::bigint)
               AND (%(standing)s::text IS NULL OR id IN (SELECT finding_id FROM held WHERE standing = %(standing)s::text))
             ORDER BY id DESC
            OFFSET 0) AS sorted
     WHERE (%(query)s::tsquery IS NULL OR %(severity)s::int IS NULL OR %(active)s::bool IS NULL OR EXISTS (
               SELECT FROM finding AS listed
                WHERE (listed.active, listed.severity, listed.id) = (%(active)s::bool, %(severity)s::int, sorted.id)))
     ORDER BY sorted.id DESC
     LIMIT %(looked_at)s::bigint + 1
), hit AS MATERIALIZED (
    SELECT finding.id, finding.severity, finding.active, finding.key, finding.title, finding.created_at
      FROM (SELECT id FROM narrowed ORDER BY id DESC LIMIT %(looked_at)s) AS given
     CROSS JOIN LATERAL (SELECT * FROM finding WHERE id = given.id OFFSET 0) AS finding
     WHERE (%(severity)s::int IS NULL OR finding.severity = %(severity)s::int)
       AND (%(active)s::bool IS NULL OR finding.active = %(active)s::bool)
       AND (%(open)s::bool IS NULL OR finding.open = %(open)s::bool)
       AND (%(since)s::timestamptz IS NULL OR finding.created_at >= %(since)s::timestamptz)
       AND (%(until)s::timestamptz IS NULL OR finding.created_at < %(until)s::timestamptz)
       AND (%(cwe)s::int IS NULL OR finding.fields -> 'cwe' @> to_jsonb(%(cwe)s::int))
       AND (%(component)s::text IS NULL OR lower(finding.fields ->> 'component') = lower(%(component)s::text))
       AND (%(feeds)s::bigint[] IS NULL OR finding.feed_id IN (SELECT unnest(%(feeds)s::bigint[])))
       AND (%(tests)s::bigint[] IS NULL OR (SELECT test_id FROM feed WHERE id = finding.feed_id) IN (SELECT unnest(%(tests)s::bigint[])))
       AND (NOT %(unwatched)s::bool OR finding.feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
               SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                    = (finding.feed_id, finding.family, finding.branch) AND part.last_outcome = 'skipped'))
     ORDER BY given.id DESC
     LIMIT %(first_hits)s::bigint + 1
), placed AS (
    SELECT id,
           CASE %(by)s
               WHEN 'rank' THEN (CASE WHEN key = %(text)s THEN 4 ELSE 0 END)
                   + (CASE WHEN strpos(lower(title), lower(%(text)s)) > 0 THEN 2 ELSE 0 END)
                   + (CASE WHEN (SELECT bool_and(strpos(lower(title), word) > 0) FROM unnest(%(words)s::text[]) AS word)
                           THEN 1 ELSE 0 END)
               WHEN 'severity' THEN severity
               WHEN 'changed' THEN (extract(epoch FROM coalesce(
                   (SELECT at FROM journal WHERE finding_id = hit.id ORDER BY journal.id DESC LIMIT 1), created_at)) * 1000000)::bigint
               ELSE 0
           END::bigint AS first,
           CASE %(by)s WHEN 'rank' THEN active::int * 10 + severity ELSE 0 END::bigint AS second,
           CASE %(by)s WHEN 'oldest' THEN -id ELSE id END AS third
      FROM (SELECT * FROM hit ORDER BY id DESC LIMIT %(first_hits)s::bigint) AS hit
)
SELECT id, first, second, third, (SELECT count(*) FROM hit) AS hits, (SELECT count(*) FROM met) AS met,
       (SELECT count(*) FROM hit) <= %(first_hits)s::bigint AND (SELECT count(*) FROM narrowed) > %(looked_at)s::bigint AS cut
  FROM (VALUES (true)) AS one (there)
  LEFT JOIN placed ON %(after_first)s::bigint IS NULL
    OR (first, second, third) < (%(after_first)s::bigint, %(after_second)s::bigint, %(after_third)s::bigint)
 ORDER BY first DESC, second DESC, third DESC
 LIMIT %(at_most)s
