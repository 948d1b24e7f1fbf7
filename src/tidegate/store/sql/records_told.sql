-- What a list of Records says of each beside its own columns: the findings that came through it (and of the open ones how
-- many no Sync looks at any more, as reads/count.py says it); how its last Sync went as a whole and Family by Family, with
-- whether a complete read of that is on record; and how many of its closings wait for a person now.
-- Parameters: records, feeds (side by side; no Feed where a Record flows nowhere), seen (the Feeds whose findings the viewer
-- sees; null for all). Locks: none. Rows: one a Record; without an Operation where it was never synced, and null where
-- there are no parts or findings.
SELECT wanted.record_id, latest.operation_id, latest.outcome, latest.why, latest.seen,
       (SELECT count(*) FROM held WHERE held.feed_id = wanted.feed_id AND held.standing = 'held') AS held,
       (
           SELECT json_agg(json_build_array(of_it.family, of_it.branch, of_it.outcome, of_it.why, EXISTS (
                      SELECT FROM part
                       WHERE (part.feed_id, part.family, part.branch) = (wanted.feed_id, of_it.family, of_it.branch)
                         AND part.proven_operation_id IS NOT NULL)))
             FROM result AS of_it
            WHERE (of_it.operation_id, of_it.record_id) = (latest.operation_id, wanted.record_id) AND of_it.family <> ''
       ) AS parts,
       (
           SELECT json_agg(summed ORDER BY summed.severity DESC)
             FROM (
               SELECT tally.severity, tally.open, tally.active, sum(tally.n::int8)::int8 AS n,
                      coalesce(sum(tally.n) FILTER (WHERE tally.open AND (feed.behind OR EXISTS (
                          SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                               = (tally.feed_id, tally.family, tally.branch) AND part.last_outcome = 'skipped'))), 0)::int8
                          AS unwatched
                 FROM feed
                 JOIN tally ON tally.feed_id = feed.id
                WHERE feed.record_id = wanted.record_id AND tally.n > 0
                  AND (%(seen)s::bigint[] IS NULL OR feed.id = ANY (%(seen)s::bigint[]))
                GROUP BY tally.severity, tally.open, tally.active
             ) AS summed
       ) AS findings
  FROM unnest(%(records)s::bigint[], %(feeds)s::bigint[]) AS wanted (record_id, feed_id)
  LEFT JOIN LATERAL (
    SELECT result.operation_id, result.outcome, result.why, coalesce((result.counts ->> 'seen')::int8, 0) AS seen
      FROM result
      JOIN operation ON operation.id = result.operation_id
     WHERE result.record_id = wanted.record_id AND result.family = ''
       AND operation.type = 'sync' AND NOT operation.preview
     ORDER BY result.operation_id DESC
     LIMIT 1
  ) AS latest ON true
