-- Takes back what a step closed because nothing watches it: these findings are open again, and active where nobody says
-- otherwise, with a line of journal.
-- Parameters: findings, undoing (the step in which it is undone), actor. Locks: the caller holds the Records. Rows: one a
-- finding.
WITH was AS (
    SELECT finding.id, finding.closed_because,
           CASE WHEN verdict.value IS NULL THEN finding.vendor_verdict <> 0 ELSE verdict.value <> 'real' END AS judged
      FROM finding
      LEFT JOIN decision AS verdict
        ON (verdict.feed_id, verdict.family, verdict.key_hash)
         = (finding.feed_id, finding.family, finding.key_hash)
       AND verdict.field = 'verdict'
       AND (verdict.until IS NULL OR verdict.until > now())
     WHERE finding.id = ANY(%(findings)s::bigint[]) AND finding.closed_because = 'person'
), opened AS (
    UPDATE finding
       SET open = true, active = NOT was.judged, closed_because = NULL, closed_operation = NULL, closed_at = NULL
      FROM was
     WHERE finding.id = was.id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, NULL, %(actor)s, 'undone', jsonb_build_object(
           'open', false, 'active', false, 'closed_because', closed_because, 'step', %(undoing)s::text
       )
  FROM was
