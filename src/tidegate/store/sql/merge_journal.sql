-- Writes down, before findings of two Feeds of one Record become one, what each was: *moved* goes over; where the same
-- one is at the destination, that one is *merged* into and the other closes. Decisions of the destination are kept here
-- because the others' take their place.
-- Parameters: source, destination; sources and theres (pairwise, from merge_pairs); actor, step, operation (of a change).
-- Locks: the caller holds the Record. Rows: one a line.
WITH met AS (
    SELECT source.id AS source_id, source.open AS source_open, source.active AS source_active, destination.*, (
               SELECT coalesce(jsonb_agg(to_jsonb(decision) - 'id'), '[]')
                 FROM decision
                WHERE (decision.feed_id, decision.family, decision.key_hash)
                    = (%(destination)s, source.family, source.key_hash)
           ) AS decisions
      FROM unnest(%(sources)s::bigint[], %(theres)s::bigint[]) AS pair (source_id, there_id)
      JOIN finding AS source ON source.id = pair.source_id
      LEFT JOIN finding AS destination ON destination.id = pair.there_id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT source_id, %(operation)s::bigint, %(actor)s, 'moved',
       jsonb_build_object('feed', %(source)s::bigint, 'decisions', decisions, 'step', %(step)s::text)
  FROM met
 WHERE id IS NULL
UNION ALL
SELECT source_id, %(operation)s, %(actor)s, 'closed',
       jsonb_build_object('open', true, 'active', source_active, 'step', %(step)s::text)
  FROM met
 WHERE id IS NOT NULL AND source_open
UNION ALL
SELECT id, %(operation)s, %(actor)s, 'merged', jsonb_build_object(
           'open', open, 'active', active, 'severity', severity, 'closed_because', closed_because,
           'closed_operation', closed_operation, 'closed_at', closed_at, 'decisions', decisions, 'step', %(step)s::text
       )
  FROM met
 WHERE id IS NOT NULL
