-- After a decision: severity in force and activity of a finding on all its Branches, and a line of journal on each. What
-- a person puts below the threshold closes at once; Unknown (2) never does.
-- Parameters: feed, family, key_hash, minimum (rank), actor, before (JSON: the decision as it was).
-- Locks: the caller holds the Record. Rows: one a Branch.
WITH said AS (
    SELECT min(value) FILTER (WHERE field = 'severity')::smallint AS severity,
           min(value) FILTER (WHERE field = 'verdict' AND (until IS NULL OR until > now())) AS verdict
      FROM decision
     WHERE feed_id = %(feed)s AND family = %(family)s AND key_hash = %(key_hash)s::uuid
), was AS (
    SELECT finding.id, finding.open, finding.active, finding.severity,
           coalesce(said.severity, finding.severity_vendor) AS severity_now,
           finding.open
               AND coalesce(said.severity, finding.severity_vendor) < %(minimum)s
               AND coalesce(said.severity, finding.severity_vendor) <> 2 AS closes,
           CASE WHEN said.verdict IS NULL THEN finding.vendor_verdict <> 0 ELSE said.verdict <> 'real' END AS judged
      FROM finding
     CROSS JOIN said
     WHERE finding.feed_id = %(feed)s AND finding.family = %(family)s AND finding.key_hash = %(key_hash)s::uuid
), let_go AS (
    DELETE FROM held USING was WHERE held.finding_id = was.id AND was.closes
), changed AS (
    UPDATE finding
       SET severity = was.severity_now,
           open = was.open AND NOT was.closes,
           active = was.open AND NOT was.closes AND NOT was.judged,
           closed_because = CASE WHEN was.closes THEN 'threshold' ELSE finding.closed_because END,
           closed_at = CASE WHEN was.closes THEN now() ELSE finding.closed_at END
      FROM was
     WHERE finding.id = was.id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, NULL, %(actor)s, 'decided',
       %(before)s::jsonb
           || CASE WHEN severity <> severity_now THEN jsonb_build_object('severity', severity) ELSE '{}' END
           || CASE WHEN active <> (open AND NOT closes AND NOT judged)
                   THEN jsonb_build_object('active', active) ELSE '{}' END
           || CASE WHEN closes THEN '{"open": true}' ELSE '{}' END::jsonb
  FROM was
