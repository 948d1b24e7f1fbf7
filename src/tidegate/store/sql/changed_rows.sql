-- The rows whose texts are needed: changed, rewritten, reopened, and closing ones (their last words are kept too).
-- Locks: none. Rows: one a change; read in chunks.
SELECT finding_id, position, length FROM compared WHERE kind BETWEEN 2 AND 6 ORDER BY position
