-- How many distinct rows each part has, once repeated ones are gone.
-- Locks: none. Rows: one a part.
SELECT part, count(*) FROM staged GROUP BY part
