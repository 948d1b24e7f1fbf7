-- Two Feeds exchange the proofs of what both have read, so the fresh ones go with the findings and an undo exchanges
-- them back; what only one of them has read goes over if no finding of it stayed behind. After the findings went.
-- Sorted, so that all are taken out before the first goes in.
-- Parameters: source, destination. Locks: the caller holds the Record. Rows: one a Family and Branch.
WITH exchanged AS (
    DELETE FROM part
     WHERE feed_id IN (%(source)s, %(destination)s)
       AND CASE
               WHEN EXISTS (
                   SELECT FROM part AS other
                    WHERE other.feed_id IN (%(source)s, %(destination)s) AND other.feed_id <> part.feed_id
                      AND (other.family, other.branch) = (part.family, part.branch)
               ) THEN true
               ELSE part.feed_id = %(source)s AND NOT EXISTS (
                   SELECT FROM finding
                    WHERE (finding.feed_id, finding.family, finding.branch) = (part.feed_id, part.family, part.branch)
               )
           END
    RETURNING *
)
INSERT INTO part (feed_id, family, branch, proven_operation_id, proven_at, proof, mark, last_operation_id, last_outcome,
                  last_because, below, skipped, listed_at)
SELECT CASE feed_id WHEN %(source)s THEN %(destination)s ELSE %(source)s END, family, branch, proven_operation_id,
       proven_at, proof, mark, last_operation_id, last_outcome, last_because, below, skipped, listed_at
  FROM exchanged
 ORDER BY 1, 2, 3
