-- Takes back what a step decided about findings: each field is again what it was, on all Branches, with severity in force,
-- activity, and a line of journal. What the step put below the threshold opens again, unless something else befell it since;
-- what is below a threshold that was raised meanwhile closes.
-- Parameters: findings (those to which it was said), step, undoing (the step in which it is undone), actor.
-- Locks: the caller holds the Records. Rows: one a Branch.
WITH said AS MATERIALIZED (
    SELECT DISTINCT ON (finding.feed_id, finding.family, finding.key_hash)
           finding.feed_id, finding.family, finding.key_hash, journal.before -> 'decision' AS earlier
      FROM journal
      JOIN finding ON finding.id = journal.finding_id
     WHERE journal.finding_id = ANY(%(findings)s::bigint[])
       AND journal.before ->> 'step' = %(step)s::text
       AND journal.kind = 'decided'
     ORDER BY finding.feed_id, finding.family, finding.key_hash, journal.id
), earlier AS MATERIALIZED (
    SELECT said.feed_id, said.family, said.key_hash, field.key AS field, field.value ->> 'value' AS value,
           (field.value ->> 'until')::timestamptz AS until, field.value ->> 'by' AS by,
           (field.value ->> 'at')::timestamptz AS at
      FROM said
     CROSS JOIN LATERAL jsonb_each(said.earlier) AS field
), before AS MATERIALIZED (
    SELECT earlier.feed_id, earlier.family, earlier.key_hash,
           jsonb_object_agg(earlier.field, CASE WHEN decision.field IS NOT NULL THEN jsonb_build_object(
               'value', decision.value, 'until', decision.until, 'by', decision.by, 'at', decision.at
           ) END) AS decision
      FROM earlier
      LEFT JOIN decision USING (feed_id, family, key_hash, field)
     GROUP BY earlier.feed_id, earlier.family, earlier.key_hash
), now_said AS MATERIALIZED (
    SELECT said.feed_id, said.family, said.key_hash,
           min(stands.value) FILTER (WHERE stands.field = 'severity')::smallint AS severity,
           min(stands.value) FILTER (
               WHERE stands.field = 'verdict' AND (stands.until IS NULL OR stands.until > now())
           ) AS verdict
      FROM said
      LEFT JOIN LATERAL (
          SELECT field, value, until
            FROM earlier
           WHERE (earlier.feed_id, earlier.family, earlier.key_hash) = (said.feed_id, said.family, said.key_hash)
             AND earlier.value IS NOT NULL
           UNION ALL
          SELECT field, value, until
            FROM decision
           WHERE (decision.feed_id, decision.family, decision.key_hash) = (said.feed_id, said.family, said.key_hash)
             AND NOT said.earlier ? decision.field
      ) AS stands ON true
     GROUP BY said.feed_id, said.family, said.key_hash
), kept AS (
    INSERT INTO decision (feed_id, family, key_hash, field, value, until, by, at)
    SELECT feed_id, family, key_hash, field, value, until, by, at FROM earlier WHERE value IS NOT NULL
        ON CONFLICT (feed_id, family, key_hash, field) DO UPDATE
       SET value = excluded.value, until = excluded.until, by = excluded.by, at = excluded.at
), forgotten AS (
    DELETE FROM decision USING earlier
     WHERE (decision.feed_id, decision.family, decision.key_hash, decision.field)
         = (earlier.feed_id, earlier.family, earlier.key_hash, earlier.field)
       AND earlier.value IS NULL
), judged AS MATERIALIZED (
    SELECT finding.id, finding.open, finding.active, finding.severity, finding.closed_because, before.decision,
           coalesce(now_said.severity, finding.severity_vendor) AS severity_now,
           coalesce(now_said.severity, finding.severity_vendor) < connection.minimum_severity
               AND coalesce(now_said.severity, finding.severity_vendor) <> 2 AS below,
           CASE WHEN now_said.verdict IS NULL THEN finding.vendor_verdict <> 0
                ELSE now_said.verdict <> 'real'
           END AS judged,
           finding.closed_because = 'threshold' AND EXISTS (
               SELECT FROM journal AS line
                WHERE line.finding_id = finding.id AND line.kind = 'decided'
                  AND line.before ->> 'step' = %(step)s::text AND line.before ? 'open'
                  AND NOT EXISTS (
                      SELECT FROM journal AS later
                       WHERE later.finding_id = line.finding_id AND later.id > line.id
                         AND (later.kind IN ('closed', 'reopened') OR later.before ? 'open'))
           ) AS closed_by_it
      FROM now_said
      JOIN before USING (feed_id, family, key_hash)
      JOIN finding USING (feed_id, family, key_hash)
      JOIN feed ON feed.id = finding.feed_id
      JOIN record ON record.id = feed.record_id
      JOIN connection ON connection.id = record.connection_id
), was AS MATERIALIZED (
    SELECT *, (open OR coalesce(closed_by_it, false)) AND NOT below AS open_now, open AND below AS closes FROM judged
), let_go AS (
    DELETE FROM held USING was WHERE held.finding_id = was.id AND was.closes
), changed AS (
    UPDATE finding
       SET severity = was.severity_now,
           open = was.open_now,
           active = was.open_now AND NOT was.judged,
           closed_because = CASE WHEN was.closes THEN 'threshold' WHEN NOT was.open_now THEN finding.closed_because END,
           closed_operation = CASE WHEN NOT was.open_now THEN finding.closed_operation END,
           closed_at = CASE WHEN was.closes THEN now() WHEN NOT was.open_now THEN finding.closed_at END
      FROM was
     WHERE finding.id = was.id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, NULL, %(actor)s, 'undone',
       jsonb_build_object('decision', decision, 'step', %(undoing)s::text)
           || CASE WHEN severity <> severity_now THEN jsonb_build_object('severity', severity) ELSE '{}' END
           || CASE WHEN active <> (open_now AND NOT judged) OR open <> open_now
                   THEN jsonb_build_object('active', active) ELSE '{}' END
           || CASE WHEN open <> open_now
                   THEN jsonb_build_object('open', open, 'closed_because', closed_because) ELSE '{}' END
  FROM was
