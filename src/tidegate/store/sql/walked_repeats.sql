-- Rows that came more than once in one turn of a walk, by part: how many too many, and whether they differ. Wherever
-- that was, each may stand where a live row of anybody should have been.
-- Locks: none. Rows: one a part and turn that has any.
SELECT part, turn, sum(times - 1)::bigint AS repeated, bool_or(differ) AS differ
  FROM (
    SELECT part, turn, count(*) AS times, count(DISTINCT fingerprint) > 1 AS differ
      FROM walked
     GROUP BY part, turn, record_id, key_hash
    HAVING count(*) > 1
  ) AS twice
 GROUP BY part, turn
