-- VEPs that came more than once in one turn of reading: how many too many, and whether they differ.
-- Parameters: turn. Locks: none. Rows: one.
SELECT coalesce(sum(times - 1), 0)::bigint AS repeated, coalesce(bool_or(differ), false) AS differ
  FROM (
    SELECT count(*) AS times, count(DISTINCT (name, url, parent, attributes)) > 1 AS differ
      FROM staged_vep WHERE turn = %(turn)s GROUP BY vendor_id HAVING count(*) > 1
  ) AS twice
