-- Notes how many findings of each Record are open at the end of a day, by severity rank, where that differs from what
-- was last noted. A Record that never had any has no row.
-- Parameters: day. Locks: rows of that day. Rows: one a Record whose numbers changed.
INSERT INTO open_day (record_id, day, open)
SELECT record_id, %(day)s, is_now.open
  FROM (
    SELECT record_id, coalesce(jsonb_object_agg(severity, n) FILTER (WHERE n > 0), '{}') AS open
      FROM (
        SELECT feed.record_id, tally.severity, sum(tally.n) FILTER (WHERE tally.open) AS n
          FROM tally
          JOIN feed ON feed.id = tally.feed_id
         GROUP BY feed.record_id, tally.severity
      ) AS counted
     GROUP BY record_id
  ) AS is_now
  LEFT JOIN (
    SELECT DISTINCT ON (record_id) record_id, open
      FROM open_day
     WHERE day <= %(day)s
     ORDER BY record_id, day DESC
  ) AS was USING (record_id)
 WHERE is_now.open IS DISTINCT FROM coalesce(was.open, '{}')
 ORDER BY record_id
    ON CONFLICT (record_id, day) DO UPDATE SET open = excluded.open
