-- Looks at the next lines of the journal, in the order they were written, and deletes the old ones. These stay:
-- * of a finding that is closed, what closed it: its last line of closing, of being merged into, and of an undo, and
--   what the Operation wrote that closed it by its own word (an undo may have gone back to an earlier closing),
-- * what the last decision on its Record did to it: that can still be undone,
-- * what the latest applied Sync of its Record did to it: so can that.
-- Parameters: after (id), before (time), at_most. Locks: the lines deleted. Rows: one: how far it looked (null where
-- nothing there is old), how many were deleted, and when the latest of them was written.
WITH looked_at AS MATERIALIZED (
    SELECT id, finding_id, operation, at, kind, before
      FROM journal
     WHERE id > %(after)s::bigint
     ORDER BY id
     LIMIT %(at_most)s
), old AS MATERIALIZED (
    SELECT looked_at.id, looked_at.finding_id, looked_at.operation, looked_at.before ->> 'step' AS step,
           feed.record_id,
           NOT finding.open AND looked_at.operation IS NOT DISTINCT FROM finding.closed_operation
               AND looked_at.operation IS NOT NULL AS closed_it,
           CASE
               WHEN finding.open THEN NULL
               WHEN looked_at.kind = 'closed' OR (looked_at.kind = 'decided' AND looked_at.before ? 'open') THEN 'closed'
               WHEN looked_at.kind IN ('merged', 'undone') THEN looked_at.kind
           END AS may_explain
      FROM looked_at
      JOIN finding ON finding.id = looked_at.finding_id
      JOIN feed ON feed.id = finding.feed_id
     WHERE looked_at.at < %(before)s::timestamptz
), records AS MATERIALIZED (
    SELECT touched.record_id, (
               SELECT history.step::text
                 FROM record_history AS history
                WHERE history.record_id = touched.record_id AND history.step IS NOT NULL
                ORDER BY history.id DESC
                LIMIT 1
           ) AS last_step, (
               SELECT max(result.operation_id)
                 FROM result
                 JOIN operation ON operation.id = result.operation_id
                WHERE result.record_id = touched.record_id AND result.family = ''
                  AND result.feed_id IS NOT NULL AND result.undone_by IS NULL
                  AND operation.type = 'sync' AND NOT operation.preview
           ) AS latest_sync
      FROM (SELECT DISTINCT record_id FROM old) AS touched
), forgettable AS MATERIALIZED (
    SELECT old.id
      FROM old
      JOIN records ON records.record_id = old.record_id
     WHERE old.step IS DISTINCT FROM coalesce(records.last_step, 'none')
       AND NOT coalesce(old.operation >= records.latest_sync, false)
       AND NOT old.closed_it
       AND (old.may_explain IS NULL OR EXISTS (
               SELECT FROM journal AS later
                WHERE later.finding_id = old.finding_id AND later.id > old.id
                  AND CASE old.may_explain
                          WHEN 'closed' THEN
                              later.kind = 'closed' OR (later.kind = 'decided' AND later.before ? 'open')
                          ELSE later.kind = old.may_explain
                      END))
), forgotten AS (
    DELETE FROM journal USING forgettable WHERE journal.id = forgettable.id
    RETURNING journal.at
)
SELECT (SELECT max(id) FROM old) AS reached,
       (SELECT count(*) FROM forgotten) AS forgotten,
       (SELECT max(at) FROM forgotten) AS until
