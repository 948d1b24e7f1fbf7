-- The findings of one page, what changed last first, where few are asked for: all of them, each at its newest line of the
-- journal, between them those that never changed, at the time they were stored. A walk down the journal would meet everybody
-- else's. A cursor says how far both are read, as of finding_ids_by_change.
-- Parameters: severity, active, open, since, until, from_id, to_id, feeds, unwatched, left_feeds, after_line, after_id, at_most.
-- Locks: none. Rows: one a finding.
WITH told AS MATERIALIZED (
    SELECT id, (SELECT max(journal.id) FROM journal WHERE journal.finding_id = finding.id) AS line
      FROM finding
     WHERE feed_id = ANY (%(feeds)s::bigint[])
       AND (%(from_id)s::bigint IS NULL OR id >= %(from_id)s::bigint)
       AND (%(to_id)s::bigint IS NULL OR id <= %(to_id)s::bigint)
       AND (%(severity)s::int IS NULL OR severity = %(severity)s::int)
       AND (%(active)s::bool IS NULL OR active = %(active)s::bool)
       AND (%(open)s::bool IS NULL OR open = %(open)s::bool)
       AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s::timestamptz)
       AND (%(until)s::timestamptz IS NULL OR created_at < %(until)s::timestamptz)
       AND (NOT %(unwatched)s::bool OR feed_id IN (SELECT unnest(%(left_feeds)s::bigint[])) OR EXISTS (
               SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                    = (finding.feed_id, finding.family, finding.branch) AND part.last_outcome = 'skipped'))
)
(SELECT changed.id, changed.line, journal.at
   FROM (SELECT * FROM told
          WHERE line < coalesce(%(after_line)s::bigint, 9223372036854775807)
          ORDER BY line DESC
          LIMIT %(at_most)s) AS changed
   JOIN journal ON journal.id = changed.line)
UNION ALL
(SELECT stored.id, NULL, finding.created_at
   FROM (SELECT id FROM told
          WHERE line IS NULL AND id < coalesce(%(after_id)s::bigint, 9223372036854775807)
          ORDER BY id DESC
          LIMIT %(at_most)s) AS stored
   JOIN finding ON finding.id = stored.id)
ORDER BY at DESC, line DESC NULLS LAST, id DESC
LIMIT %(at_most)s
