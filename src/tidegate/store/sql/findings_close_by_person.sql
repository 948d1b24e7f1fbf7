-- Closes the open findings of Feeds because a person said so, and journals it.
-- Parameters: feeds, actor, step. Locks: the caller holds the Records. Rows: one a finding closed.
WITH let_go AS (
    DELETE FROM held WHERE feed_id = ANY(%(feeds)s::bigint[])
), before AS (
    SELECT id, active FROM finding WHERE feed_id = ANY(%(feeds)s::bigint[]) AND open
), closed AS (
    UPDATE finding
       SET open = false, active = false, closed_because = 'person', closed_operation = NULL, closed_at = now()
      FROM before
     WHERE finding.id = before.id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, NULL, %(actor)s, 'closed', jsonb_build_object('open', true, 'active', active, 'step', %(step)s::text)
  FROM before
