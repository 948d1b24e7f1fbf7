-- The same decision about many findings, on all their Branches: what is said of each field (a null takes it back), severity
-- in force, activity, and a line of journal on each with what was said before. It does to each what findings_judge.sql does
-- to one: what a person puts below the threshold of its Connection closes at once; Unknown (2) never does.
-- Parameters: findings; fields, contents and untils, one for each field; actor; step. Locks: the caller holds the Records.
-- Rows: one a Branch.
WITH said AS (
    SELECT field, value, until
      FROM unnest(%(fields)s::text[], %(contents)s::text[], %(untils)s::timestamptz[]) AS said (field, value, until)
), keys AS MATERIALIZED (
    SELECT DISTINCT feed_id, family, key_hash FROM finding WHERE id = ANY(%(findings)s::bigint[])
), before AS MATERIALIZED (
    SELECT keys.feed_id, keys.family, keys.key_hash,
           jsonb_object_agg(said.field, CASE WHEN decision.field IS NOT NULL THEN jsonb_build_object(
               'value', decision.value, 'until', decision.until, 'by', decision.by, 'at', decision.at
           ) END) AS decision
      FROM keys
     CROSS JOIN said
      LEFT JOIN decision ON decision.feed_id = keys.feed_id AND decision.family = keys.family
                        AND decision.key_hash = keys.key_hash AND decision.field = said.field
     GROUP BY keys.feed_id, keys.family, keys.key_hash
), now_said AS MATERIALIZED (
    SELECT keys.feed_id, keys.family, keys.key_hash,
           CASE WHEN 'severity' = ANY(%(fields)s::text[]) THEN (SELECT value FROM said WHERE field = 'severity')
                ELSE min(decision.value) FILTER (WHERE decision.field = 'severity')
           END::smallint AS severity,
           CASE WHEN 'verdict' = ANY(%(fields)s::text[]) THEN (SELECT value FROM said WHERE field = 'verdict')
                ELSE min(decision.value) FILTER (
                    WHERE decision.field = 'verdict' AND (decision.until IS NULL OR decision.until > now())
                )
           END AS verdict
      FROM keys
      LEFT JOIN decision ON decision.feed_id = keys.feed_id AND decision.family = keys.family
                        AND decision.key_hash = keys.key_hash
     GROUP BY keys.feed_id, keys.family, keys.key_hash
), kept AS (
    INSERT INTO decision (feed_id, family, key_hash, field, value, until, by, at)
    SELECT keys.feed_id, keys.family, keys.key_hash, said.field, said.value, said.until, %(actor)s, now()
      FROM keys
     CROSS JOIN said
     WHERE said.value IS NOT NULL
        ON CONFLICT (feed_id, family, key_hash, field) DO UPDATE
       SET value = excluded.value, until = excluded.until, by = excluded.by, at = excluded.at
), forgotten AS (
    DELETE FROM decision USING keys, said
     WHERE decision.feed_id = keys.feed_id AND decision.family = keys.family AND decision.key_hash = keys.key_hash
       AND decision.field = said.field AND said.value IS NULL
), was AS MATERIALIZED (
    SELECT finding.id, finding.open, finding.active, finding.severity, before.decision,
           coalesce(now_said.severity, finding.severity_vendor) AS severity_now,
           finding.open
               AND coalesce(now_said.severity, finding.severity_vendor) < connection.minimum_severity
               AND coalesce(now_said.severity, finding.severity_vendor) <> 2 AS closes,
           CASE WHEN now_said.verdict IS NULL THEN finding.vendor_verdict <> 0
                ELSE now_said.verdict <> 'real'
           END AS judged
      FROM now_said
      JOIN before USING (feed_id, family, key_hash)
      JOIN finding USING (feed_id, family, key_hash)
      JOIN feed ON feed.id = finding.feed_id
      JOIN record ON record.id = feed.record_id
      JOIN connection ON connection.id = record.connection_id
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
       jsonb_build_object('decision', decision, 'step', %(step)s::text)
           || CASE WHEN severity <> severity_now THEN jsonb_build_object('severity', severity) ELSE '{}' END
           || CASE WHEN active <> (open AND NOT closes AND NOT judged)
                   THEN jsonb_build_object('active', active) ELSE '{}' END
           || CASE WHEN closes THEN '{"open": true}' ELSE '{}' END::jsonb
  FROM was
