-- Undoing a Sync: what it created in a Feed, and is still open, becomes inactive; the next Sync that shows it opens it
-- again. What a person closed since stays as they said. Found by what an Operation created, not by the Feed: what this
-- costs depends on the change (tests/store/test_undo_sync.py).
-- Parameters: feed, sync, operation (the undo), actor. Locks: the caller holds the Record and the Test.
-- Rows: one, with how many are inactive now and how many a person closed before.
WITH created AS MATERIALIZED (
    SELECT id, open, active FROM finding WHERE created_operation = %(sync)s AND feed_id = %(feed)s
), closed AS (
    UPDATE finding
       SET open = false, active = false, closed_because = 'undone', closed_operation = %(operation)s, closed_at = now(),
           changed_operation = %(operation)s
      FROM created
     WHERE finding.id = created.id AND created.open
), journalled AS (
    INSERT INTO journal (finding_id, operation, actor, kind, before)
    SELECT id, %(operation)s, %(actor)s, 'undone', jsonb_build_object('open', true, 'active', active)
      FROM created
     WHERE open
     ORDER BY id
)
SELECT count(*) FILTER (WHERE open) AS inactive, count(*) FILTER (WHERE NOT open) AS kept FROM created
