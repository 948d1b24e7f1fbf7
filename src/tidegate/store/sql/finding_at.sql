-- The first finding that was stored at a time or later, by halving: numbers rise with time, but for what was stored in
-- one hour by several at once; the caller leaves room for that.
-- Parameters: at. Locks: none. Rows: one; null where there is none so late.
WITH RECURSIVE half AS (
    SELECT 0::bigint AS low, coalesce(max(id), 0) + 1 AS high FROM finding
    UNION ALL
    SELECT CASE WHEN found.id IS NULL OR found.created_at >= %(at)s::timestamptz THEN half.low ELSE found.id END,
           CASE WHEN found.id IS NULL OR found.created_at >= %(at)s::timestamptz THEN (half.low + half.high) / 2 ELSE half.high END
      FROM half
      LEFT JOIN LATERAL (
        SELECT id, created_at FROM finding WHERE id >= (half.low + half.high) / 2 AND id < half.high ORDER BY id LIMIT 1
      ) AS found ON true
     WHERE half.high - half.low > 1
)
SELECT high AS id FROM half ORDER BY high - low LIMIT 1
