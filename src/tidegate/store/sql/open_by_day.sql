-- How the open findings of some Records moved: for each day and severity rank, by how much their sum differs from the
-- day before. What lies before the first day counts for it.
-- Parameters: since, until (days); record, product, connection (the one that is not null says which Records).
-- Locks: none. Rows: one a day and severity that moved.
WITH wanted AS (
    SELECT record.id
      FROM record
      LEFT JOIN feed ON feed.id = record.feed_id
      LEFT JOIN test ON test.id = feed.test_id
      LEFT JOIN engagement ON engagement.id = test.engagement_id
     WHERE record.id = %(record)s::bigint OR record.connection_id = %(connection)s::bigint
        OR engagement.product_id = %(product)s::bigint
), noted AS (
    SELECT open_day.record_id, open_day.day, open_day.open,
           lag(open_day.open, 1, '{}') OVER (PARTITION BY open_day.record_id ORDER BY open_day.day) AS before
      FROM open_day
      JOIN wanted ON wanted.id = open_day.record_id
     WHERE open_day.day <= %(until)s::date
)
SELECT greatest(noted.day, %(since)s::date) AS day, moved.severity::smallint AS severity, sum(moved.by)::bigint AS by
  FROM noted
 CROSS JOIN LATERAL (
    SELECT key AS severity, value::bigint AS by FROM jsonb_each_text(noted.open)
    UNION ALL
    SELECT key, -value::bigint FROM jsonb_each_text(noted.before)
 ) AS moved
 GROUP BY 1, 2
HAVING sum(moved.by) <> 0
