-- What the undo of a step comes to, for each finding that it decided about or closed, in groups: who may not, what cannot be
-- now, what was decided, moved or closed again since, what is undone already, and what is undone. The words are those of
-- rules/bulk.py.
-- Parameters: step, undoing (the step in which it is undone); mine (findings with which the asker may do it; null for all);
-- findings (null for all of the step). Locks: none; who acts holds the Records. Rows: one a fate.
WITH said AS MATERIALIZED (
    SELECT id, finding_id, kind, before
      FROM journal
     WHERE before ->> 'step' = %(step)s::text
       AND kind IN ('decided', 'closed')
       AND finding_id = ANY(coalesce(%(findings)s::bigint[], ARRAY[finding_id]))
), sorted AS (
    SELECT finding.id,
           CASE
               WHEN NOT (%(mine)s::bigint[] IS NULL OR finding.id = ANY(%(mine)s::bigint[])) THEN 'forbidden'
               WHEN record.changing_operation_id IS NOT NULL THEN 'changing'
               WHEN since.undone THEN 'undone'
               WHEN since.moved THEN 'moved since'
               WHEN since.decided THEN 'decided since'
               WHEN said.kind = 'decided' THEN 'undo'
               WHEN finding.open THEN 'open'
               WHEN finding.closed_because <> 'person' THEN 'closed since'
               WHEN finding.severity < connection.minimum_severity AND finding.severity <> 2 THEN 'below'
               ELSE 'reopen'
           END AS fate
      FROM said
      JOIN finding ON finding.id = said.finding_id
      JOIN feed ON feed.id = finding.feed_id
      JOIN record ON record.id = feed.record_id
      JOIN connection ON connection.id = record.connection_id
      CROSS JOIN LATERAL (
          SELECT coalesce(bool_or(later.kind = 'undone' AND later.before ->> 'step' = %(undoing)s::text), false) AS undone,
                 coalesce(bool_or(later.kind IN ('moved', 'merged')), false) AS moved,
                 coalesce(bool_or(later.kind = 'decided' AND later.before -> 'decision' ?|
                                  ARRAY(SELECT jsonb_object_keys(said.before -> 'decision'))), false) AS decided
            FROM journal AS later
           WHERE later.finding_id = said.finding_id AND later.id > said.id
      ) AS since
)
SELECT fate, count(*) AS number, array_agg(id ORDER BY id) AS ids
  FROM sorted
 GROUP BY fate
 ORDER BY fate
