-- Open findings by severity rank, and how many of them are active: from kept tallies, never by counting findings.
-- Parameters: none. Locks: none. Rows: one a severity.
SELECT severity, sum(n)::bigint AS open, coalesce(sum(n) FILTER (WHERE active), 0)::bigint AS active
  FROM tally
 WHERE open AND n > 0
 GROUP BY severity
