-- About how many rows tables have and how many bytes they take, indexes and all; from the catalogue, so at once. A table
-- that was never looked through is told by its size.
-- Parameters: tables (names). Locks: none. Rows: one a table.
SELECT relname AS name,
       CASE WHEN reltuples < 0 THEN pg_relation_size(oid) / 200 ELSE reltuples END::bigint AS rows,
       pg_relation_size(oid) AS heap_bytes,
       pg_total_relation_size(oid) AS bytes
  FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname = ANY(%(tables)s::text[])
