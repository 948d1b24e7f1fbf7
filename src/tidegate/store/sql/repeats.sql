-- Rows that came more than once in one turn of reading, by part: how many too many, and whether they differ.
-- Locks: none. Rows: none in most reads, else one a part and turn.
WITH twice AS (
    SELECT part, turn, key_hash FROM staged GROUP BY part, turn, key_hash HAVING count(*) > 1
), times AS (
    SELECT part, turn, count(*) - 1 AS too_many, count(DISTINCT fingerprint) > 1 AS differ
      FROM staged JOIN twice USING (part, turn, key_hash)
     GROUP BY part, turn, key_hash
)
SELECT part, turn, sum(too_many)::bigint AS repeated, bool_or(differ) AS differ FROM times GROUP BY part, turn
