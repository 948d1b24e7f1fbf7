-- Of the rows that show no open finding (new, reopened, new and below the threshold) how many there are, each counted
-- once however often it was read.
-- Locks: none. Rows: one.
SELECT count(*) FROM (SELECT DISTINCT part, key_hash FROM compared WHERE kind IN (1, 4, 9)) AS each
