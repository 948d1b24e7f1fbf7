-- Keeps what a preview would do to Records.
-- Parameters: operation, differences (an array of objects). Locks: none. Rows: one a difference.
INSERT INTO difference (operation_id, kind, record_id, key, title, before, after)
SELECT %(operation)s, would.kind, would.record_id, would.key, would.title, would.before, would.after
  FROM jsonb_to_recordset(%(differences)s::jsonb)
    AS would (kind text, record_id bigint, key text, title text, before jsonb, after jsonb)
