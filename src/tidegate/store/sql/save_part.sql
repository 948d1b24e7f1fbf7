-- How the last try of a Family and Branch went; a complete read renews its proof.
-- Parameters: feed, family, branch, operation, outcome, because, complete, proof, mark, below, skipped.
-- Locks: the caller holds the Record. Rows: one.
INSERT INTO part (feed_id, family, branch, proven_operation_id, proven_at, proof, mark, last_operation_id, last_outcome,
                  last_because, below, skipped)
VALUES (%(feed)s, %(family)s, %(branch)s, CASE WHEN %(complete)s THEN %(operation)s END,
        CASE WHEN %(complete)s THEN now() END, %(proof)s, %(mark)s, %(operation)s, %(outcome)s, %(because)s, %(below)s,
        %(skipped)s)
    ON CONFLICT (feed_id, family, branch) DO UPDATE
   SET proven_operation_id = CASE WHEN %(complete)s THEN excluded.proven_operation_id ELSE part.proven_operation_id END,
       proven_at = CASE WHEN %(complete)s THEN excluded.proven_at ELSE part.proven_at END,
       proof = CASE WHEN %(complete)s THEN excluded.proof ELSE part.proof END,
       mark = CASE WHEN %(complete)s THEN excluded.mark ELSE part.mark END,
       last_operation_id = excluded.last_operation_id,
       last_outcome = excluded.last_outcome,
       last_because = excluded.last_because,
       below = CASE WHEN excluded.last_outcome = 'skipped' THEN part.below ELSE excluded.below END,
       skipped = CASE WHEN excluded.last_outcome = 'skipped' THEN part.skipped ELSE excluded.skipped END
