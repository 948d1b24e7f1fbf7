-- The rows whose texts a preview shows: created, changed and reopened ones, of each kind so many.
-- Parameters: at_most. Locks: none. Rows: one a difference that is shown; read in chunks.
SELECT coalesce(finding_id, -1 - position) AS name, position, length
  FROM (
    SELECT finding_id, position, length, row_number() OVER (PARTITION BY kind ORDER BY position) AS nth
      FROM compared
     WHERE kind IN (1, 2, 4)
  ) AS shown
 WHERE nth <= %(at_most)s
 ORDER BY position
