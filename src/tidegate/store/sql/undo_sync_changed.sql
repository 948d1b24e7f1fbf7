-- Undoing a Sync: what it changed, closed and reopened in a Feed returns to what its lines of the journal say. Severity in
-- force and activity follow from the decisions of now; a threshold that was raised since stays in force. Where a person
-- decided since whether a finding is open, only its texts go back (`kept`): a closing that was held and a person approved
-- is their decision, though its line names the Sync. Whatever was rewritten gets a fingerprint that nothing has, so that
-- the next Sync sees it as changed; a closing that was undone is remembered in `held`, so that it is held where it comes
-- again. Each is journalled in the shape of all other lines.
-- Parameters: feed, sync, operation (the undo), actor, tidegate (who writes a Sync's lines), minimum (rank), record.
-- Locks: the caller holds the Record and the Test. Rows: one, with how many of each.
WITH line AS MATERIALIZED (
    SELECT journal.finding_id, journal.actor, journal.kind, journal.before
      FROM journal
     WHERE journal.operation = %(sync)s AND journal.kind IN ('changed', 'closed', 'reopened')
), was AS MATERIALIZED (
    SELECT finding.id, finding.family, finding.branch, finding.created_at, finding.open, finding.active,
           finding.closed_because, finding.closed_operation, finding.closed_at, finding.severity_vendor, finding.severity,
           finding.vendor_verdict, finding.title, line.kind, line.before, back.severity_vendor AS severity_vendor_back,
           back.verdict AS vendor_verdict_back, coalesce(said.severity, back.severity_vendor) AS severity_back,
           CASE WHEN said.verdict IS NULL THEN back.verdict <> 0 ELSE said.verdict <> 'real' END AS judged,
           coalesce(said.severity, back.severity_vendor) < %(minimum)s
               AND coalesce(said.severity, back.severity_vendor) <> 2 AS below,
           -- What the Sync made of it is what it still is; else a person said otherwise since.
           CASE line.kind
               WHEN 'closed' THEN NOT finding.open AND finding.closed_operation IS NOT DISTINCT FROM %(sync)s
               ELSE finding.open
           END AS untouched,
           CASE WHEN line.before ? 'fields' THEN (
               SELECT jsonb_object_agg(key, finding.fields -> key) FROM jsonb_object_keys(line.before -> 'fields') AS key
           ) END AS fields_was
      FROM line
      JOIN finding ON finding.id = line.finding_id
     CROSS JOIN LATERAL (
        SELECT coalesce((line.before ->> 'severity_vendor')::smallint, finding.severity_vendor) AS severity_vendor,
               coalesce((line.before ->> 'vendor_verdict')::smallint, finding.vendor_verdict) AS verdict
     ) AS back
     CROSS JOIN LATERAL (
        SELECT min(value) FILTER (WHERE field = 'severity')::smallint AS severity,
               min(value) FILTER (WHERE field = 'verdict' AND (until IS NULL OR until > now())) AS verdict
          FROM decision
         WHERE (decision.feed_id, decision.family, decision.key_hash)
             = (finding.feed_id, finding.family, finding.key_hash)
     ) AS said
     WHERE finding.feed_id = %(feed)s AND line.actor = %(tidegate)s
), becomes AS MATERIALIZED (
    SELECT was.*, state.*,
           state.is_open AND NOT was.judged AS is_active,
           CASE WHEN state.is_open THEN NULL
                WHEN state.closes_again THEN was.before ->> 'closed_because'
                WHEN state.falls_below THEN 'threshold'
                ELSE was.closed_because END AS because,
           CASE WHEN state.is_open THEN NULL
                WHEN state.closes_again THEN (was.before ->> 'closed_operation')::bigint
                WHEN state.falls_below THEN %(operation)s
                ELSE was.closed_operation END AS by_operation,
           CASE WHEN state.is_open THEN NULL
                WHEN state.closes_again THEN (was.before ->> 'closed_at')::timestamptz
                WHEN state.falls_below THEN now()
                ELSE was.closed_at END AS at
      FROM was
     CROSS JOIN LATERAL (
        SELECT CASE was.kind
                   WHEN 'closed' THEN was.open OR was.untouched
                   WHEN 'reopened' THEN false
                   ELSE was.open
               END AS asked_open
     ) AS asked
     CROSS JOIN LATERAL (
        SELECT asked.asked_open AND NOT was.below AS is_open,
               was.kind = 'reopened' AND was.untouched AS closes_again,
               asked.asked_open AND was.below AS falls_below
     ) AS state
), put_back AS (
    UPDATE finding
       SET fingerprint = CASE WHEN becomes.kind = 'closed' AND becomes.closed_because IN ('gone', 'branch') THEN finding.fingerprint
                              ELSE '00000000-0000-0000-0000-000000000000' END,
           severity_vendor = becomes.severity_vendor_back,
           severity = becomes.severity_back,
           vendor_verdict = becomes.vendor_verdict_back,
           open = becomes.is_open,
           active = becomes.is_active,
           closed_because = becomes.because,
           closed_operation = becomes.by_operation,
           closed_at = becomes.at,
           changed_operation = %(operation)s,
           title = coalesce(becomes.before ->> 'title', finding.title),
           fields = CASE WHEN becomes.fields_was IS NULL THEN finding.fields
                         ELSE (finding.fields || (becomes.before -> 'fields')) - ARRAY(
                             SELECT key FROM jsonb_each(becomes.before -> 'fields') WHERE value = 'null'
                         ) END
      FROM becomes
     WHERE finding.id = becomes.id
), journalled AS (
    INSERT INTO journal (finding_id, operation, actor, kind, before)
    SELECT id, %(operation)s, %(actor)s, 'undone',
           jsonb_strip_nulls(jsonb_build_object(
               'open', CASE WHEN open <> is_open THEN open END,
               'active', CASE WHEN active <> is_active THEN active END,
               'closed_because', CASE WHEN because IS DISTINCT FROM closed_because THEN closed_because END,
               'closed_operation', CASE WHEN by_operation IS DISTINCT FROM closed_operation THEN closed_operation END,
               'closed_at', CASE WHEN at IS DISTINCT FROM closed_at THEN closed_at END,
               'severity_vendor', CASE WHEN severity_vendor <> severity_vendor_back THEN severity_vendor END,
               'severity', CASE WHEN severity <> severity_back THEN severity END,
               'vendor_verdict', CASE WHEN vendor_verdict <> vendor_verdict_back THEN vendor_verdict END,
               'title', CASE WHEN before ? 'title' THEN title END
           )) || CASE WHEN fields_was IS NULL THEN '{}' ELSE jsonb_build_object('fields', fields_was) END
      FROM becomes
     ORDER BY id
), seen AS MATERIALIZED (
    SELECT result.family, result.branch, max(operation.ended_at) AS at
      FROM result
      JOIN operation ON operation.id = result.operation_id
     WHERE result.record_id = %(record)s AND result.operation_id < %(sync)s AND result.feed_id = %(feed)s
       AND result.outcome = 'complete' AND operation.type = 'sync' AND NOT operation.preview
     GROUP BY result.family, result.branch
), remembered AS (
    INSERT INTO held (finding_id, feed_id, since_operation, latest_operation, last_seen_at, standing, because, undone)
    SELECT becomes.id, %(feed)s, %(sync)s, %(sync)s,
           CASE WHEN becomes.closed_because IN ('gone', 'branch') THEN coalesce(greatest(seen.at, becomes.created_at)) END,
           'pending', becomes.closed_because, true
      FROM becomes
      LEFT JOIN seen ON (seen.family, seen.branch) = (becomes.family, becomes.branch)
     WHERE becomes.kind = 'closed' AND becomes.untouched AND becomes.is_open
        ON CONFLICT (finding_id) DO NOTHING
), words AS (
    INSERT INTO words_due (feed_id, operation_id, finding_id)
    SELECT %(feed)s, NULL::bigint, id FROM becomes WHERE before ? 'title' OR fields_was IS NOT NULL
)
SELECT count(*) FILTER (WHERE kind = 'changed' AND untouched AND is_open) AS as_before,
       count(*) FILTER (WHERE kind = 'closed' AND untouched AND is_open) AS open_again,
       count(*) FILTER (WHERE closes_again) AS closed_again,
       count(*) FILTER (WHERE NOT untouched OR falls_below) + (
           SELECT count(*)
             FROM line
             JOIN finding ON finding.id = line.finding_id
            WHERE line.actor <> %(tidegate)s AND line.kind = 'closed' AND finding.feed_id = %(feed)s
              AND NOT finding.open AND finding.closed_operation = %(sync)s
       ) AS kept
  FROM becomes
