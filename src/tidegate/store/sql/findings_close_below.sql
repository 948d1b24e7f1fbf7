-- A raised threshold closes what is below it, by the severity in force; Unknown (2) never is. Only where Records write to
-- now: what was left behind stays as it is.
-- Parameters: records, minimum (rank), low, high (a range of keys), actor, operation (of a change). Locks: the caller
-- holds the Records. Rows: one a finding closed.
WITH below AS (
    SELECT finding.id, finding.active
      FROM record
      JOIN finding ON finding.feed_id = record.feed_id
     WHERE record.id = ANY(%(records)s::bigint[])
       AND finding.key_hash BETWEEN %(low)s::uuid AND %(high)s::uuid
       AND finding.open AND finding.severity < %(minimum)s AND finding.severity <> 2
), let_go AS (
    DELETE FROM held USING below WHERE held.finding_id = below.id
), closed AS (
    UPDATE finding
       SET open = false, active = false, closed_because = 'threshold', closed_operation = NULL, closed_at = now()
      FROM below
     WHERE finding.id = below.id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, %(operation)s::bigint, %(actor)s, 'closed', jsonb_build_object('open', true, 'active', active) FROM below
