-- Undoing a merge: what went over goes back, and what was merged into is again what it was; both are journalled.
-- Parameters: source (where they go back to), destination; lines (from unmerge_lines); step, actor, operation (of a
-- change). Locks: the caller holds the Record. Rows: one a finding.
WITH was AS (
    SELECT finding.id, journal.kind, journal.before, finding.open, finding.active
      FROM journal
      JOIN finding ON finding.id = journal.finding_id
     WHERE journal.id = ANY(%(lines)s::bigint[])
), back AS (
    UPDATE finding
       SET feed_id = CASE was.kind WHEN 'moved' THEN %(source)s ELSE finding.feed_id END,
           open = CASE was.kind WHEN 'moved' THEN finding.open ELSE (was.before ->> 'open')::boolean END,
           active = CASE was.kind WHEN 'moved' THEN finding.active ELSE (was.before ->> 'active')::boolean END,
           severity = CASE was.kind WHEN 'moved' THEN finding.severity ELSE (was.before ->> 'severity')::smallint END,
           closed_because = CASE was.kind WHEN 'moved' THEN finding.closed_because ELSE was.before ->> 'closed_because' END,
           closed_operation = CASE was.kind
               WHEN 'moved' THEN finding.closed_operation ELSE (was.before ->> 'closed_operation')::bigint
           END,
           closed_at = CASE was.kind WHEN 'moved' THEN finding.closed_at ELSE (was.before ->> 'closed_at')::timestamptz END
      FROM was
     WHERE finding.id = was.id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, %(operation)s::bigint, %(actor)s, 'undone', CASE kind
           WHEN 'moved' THEN jsonb_build_object('feed', %(destination)s::bigint, 'step', %(step)s::text)
           ELSE jsonb_build_object('open', open, 'active', active, 'step', %(step)s::text)
       END
  FROM was
