-- Keeps what a preview would do to Records, or to findings that are delivered.
-- Parameters: operation, differences (an array of objects). Locks: none. Rows: one a difference.
INSERT INTO difference (operation_id, kind, record_id, finding_id, family, branch, key, title, severity, because, before,
                        after)
SELECT %(operation)s, would.kind, would.record_id, would.finding_id, coalesce(would.family, ''), coalesce(would.branch, ''),
       would.key, would.title, would.severity, coalesce(would.because, ''), would.before, would.after
  FROM jsonb_to_recordset(%(differences)s::jsonb)
    AS would (kind text, record_id bigint, finding_id bigint, family text, branch text, key text, title text,
              severity smallint, because text, before jsonb, after jsonb)
