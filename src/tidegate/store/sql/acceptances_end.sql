-- An acceptance ends on its date: what is open is active again, where the vendor does not say otherwise. The decision
-- stays, with its date.
-- Parameters: now, records, actor. Locks: the caller holds these Records. Rows: one a finding that is active again.
WITH ended AS (
    SELECT finding.id, decision.value, decision.until
      FROM feed
      JOIN decision ON decision.feed_id = feed.id
      JOIN finding ON (finding.feed_id, finding.family, finding.key_hash)
                    = (decision.feed_id, decision.family, decision.key_hash)
     WHERE feed.record_id = ANY(%(records)s::bigint[])
       AND decision.field = 'verdict'
       AND decision.until <= %(now)s::timestamptz
       AND finding.open AND NOT finding.active AND finding.vendor_verdict = 0
), active_again AS (
    UPDATE finding SET active = true FROM ended WHERE finding.id = ended.id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, NULL, %(actor)s, 'expired', jsonb_build_object('active', false, 'verdict', value, 'until', until) FROM ended
