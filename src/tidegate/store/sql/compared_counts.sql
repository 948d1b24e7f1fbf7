-- How many differences of each kind each part has.
-- Locks: none. Rows: at most ten a part.
SELECT part, kind, count(*) FROM compared GROUP BY part, kind
