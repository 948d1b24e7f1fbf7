-- How many rows were staged, each counted once however often it came in one turn of reading. Cheaper than to look for
-- repeated ones, which most reads do not have: it is compared with how many came.
-- Locks: none. Rows: one.
SELECT count(*) FROM (SELECT DISTINCT part, turn, key_hash FROM staged) AS each
