-- Closes open findings that nothing watches any more, because a person said so: their Record writes elsewhere or nowhere,
-- is Missing or Stale, its Connection is deleted, or their Family is no longer read. Watched ones are left alone.
-- Parameters: findings, actor, step. Locks: the caller holds the Records. Rows: the findings closed.
WITH unwatched AS (
    SELECT finding.id, finding.active
      FROM finding
      JOIN feed ON feed.id = finding.feed_id
      JOIN record ON record.id = feed.record_id
      JOIN connection ON connection.id = record.connection_id
      LEFT JOIN part ON (part.feed_id, part.family, part.branch) = (finding.feed_id, finding.family, finding.branch)
     WHERE finding.id = ANY(%(findings)s::bigint[])
       AND finding.open
       AND (record.feed_id IS DISTINCT FROM finding.feed_id
            OR record.absent_since IS NOT NULL
            OR connection.deleted_at IS NOT NULL
            OR coalesce(part.last_outcome = 'skipped', false))
), let_go AS (
    DELETE FROM held USING unwatched WHERE held.finding_id = unwatched.id
), closed AS (
    UPDATE finding
       SET open = false, active = false, closed_because = 'person', closed_operation = NULL, closed_at = now()
      FROM unwatched
     WHERE finding.id = unwatched.id
), journalled AS (
    INSERT INTO journal (finding_id, operation, actor, kind, before)
    SELECT id, NULL, %(actor)s, 'closed', jsonb_build_object('open', true, 'active', active, 'step', %(step)s::text)
      FROM unwatched
)
SELECT id FROM unwatched ORDER BY id
