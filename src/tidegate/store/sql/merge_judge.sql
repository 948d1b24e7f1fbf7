-- After a merge, or its undo, changed what is decided in a Feed: severity in force and activity of these findings on all
-- their Branches there, and a line of journal on each that this changes. Most were judged with their opening already;
-- what is left are Branches that only one of the two Feeds has.
-- Parameters: feed, findings, actor, operation (of a change). Locks: the caller holds the Record. Rows: one a change.
WITH these AS (
    SELECT DISTINCT finding.family, finding.key_hash
      FROM unnest(%(findings)s::bigint[]) AS went (id)
      JOIN finding ON finding.id = went.id
), becomes AS MATERIALIZED (
    SELECT finding.id, finding.severity, finding.active,
           coalesce(said.severity, finding.severity_vendor) AS severity_now,
           finding.open AND CASE
               WHEN said.verdict IS NULL THEN finding.vendor_verdict = 0 ELSE said.verdict = 'real'
           END AS active_now
      FROM these
     CROSS JOIN LATERAL (
        SELECT min(value) FILTER (WHERE field = 'severity')::smallint AS severity,
               min(value) FILTER (WHERE field = 'verdict' AND (until IS NULL OR until > now())) AS verdict
          FROM decision
         WHERE (feed_id, family, key_hash) = (%(feed)s, these.family, these.key_hash)
     ) AS said
      JOIN finding ON (finding.feed_id, finding.family, finding.key_hash) = (%(feed)s, these.family, these.key_hash)
), changed AS (
    UPDATE finding
       SET severity = becomes.severity_now, active = becomes.active_now
      FROM becomes
     WHERE finding.id = becomes.id
       AND (becomes.severity, becomes.active) <> (becomes.severity_now, becomes.active_now)
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, %(operation)s::bigint, %(actor)s, 'decided',
       CASE WHEN severity <> severity_now THEN jsonb_build_object('severity', severity) ELSE '{}' END
           || CASE WHEN active <> active_now THEN jsonb_build_object('active', active) ELSE '{}' END
  FROM becomes
 WHERE (severity, active) <> (severity_now, active_now)
