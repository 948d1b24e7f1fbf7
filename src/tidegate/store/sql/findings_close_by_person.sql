-- Closes the open findings of Feeds because a person said so, and journals it.
-- Parameters: feeds, low, high (a range of keys), actor, step, operation (of a change). Locks: the caller holds the
-- Records. Rows: one a finding closed.
WITH before AS (
    SELECT id, active
      FROM finding
     WHERE feed_id = ANY(%(feeds)s::bigint[]) AND key_hash BETWEEN %(low)s::uuid AND %(high)s::uuid AND open
), let_go AS (
    DELETE FROM held USING before WHERE held.finding_id = before.id
), closed AS (
    UPDATE finding
       SET open = false, active = false, closed_because = 'person', closed_operation = NULL, closed_at = now()
      FROM before
     WHERE finding.id = before.id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, %(operation)s::bigint, %(actor)s, 'closed',
       jsonb_build_object('open', true, 'active', active, 'step', %(step)s::text)
  FROM before
