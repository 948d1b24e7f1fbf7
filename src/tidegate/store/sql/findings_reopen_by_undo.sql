-- Undoing a remap: what it closed in this Feed, by a person's choice or by merging, and is still closed so, opens again.
-- Parameters: feed, step, actor, operation (of a change), low, high (a range of keys). Locks: the caller holds the Record.
-- Rows: one a finding opened.
WITH was AS (
    SELECT finding.id, finding.closed_because, said.verdict, finding.vendor_verdict
      FROM finding
      JOIN journal ON journal.finding_id = finding.id AND journal.kind = 'closed' AND journal.before ->> 'step' = %(step)s
      LEFT JOIN decision AS said_row
        ON (said_row.feed_id, said_row.family, said_row.key_hash)
         = (finding.feed_id, finding.family, finding.key_hash)
       AND said_row.field = 'verdict'
       AND (said_row.until IS NULL OR said_row.until > now())
      CROSS JOIN LATERAL (SELECT said_row.value AS verdict) AS said
     WHERE finding.feed_id = %(feed)s
       AND finding.key_hash BETWEEN %(low)s::uuid AND %(high)s::uuid
       AND finding.closed_because IN ('person', 'merged')
), opened AS (
    UPDATE finding
       SET open = true,
           active = CASE WHEN was.verdict IS NULL THEN was.vendor_verdict = 0 ELSE was.verdict = 'real' END,
           closed_because = NULL, closed_operation = NULL, closed_at = NULL
      FROM was
     WHERE finding.id = was.id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, %(operation)s::bigint, %(actor)s, 'undone', jsonb_build_object('open', false, 'closed_because', closed_because)
  FROM was
