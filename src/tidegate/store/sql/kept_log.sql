-- How much of an Operation's log is kept: where it goes on when it is taken up again.
-- Parameters: operation. Locks: none. Rows: one.
SELECT coalesce(max(n), 0) AS last, count(*) FILTER (WHERE level = 'debug') AS debug
  FROM log_line WHERE operation_id = %(operation)s
