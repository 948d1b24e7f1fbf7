-- What was staged, by part and turn of reading, each row counted once however often it came in that turn: how many, and
-- how many of them the vendor says are fixed, or could not be read. Where nothing came twice, whoever staged it knows.
-- Locks: none. Rows: one a part and turn.
SELECT part, turn, count(*) AS rows, count(*) FILTER (WHERE flags & 1 <> 0) AS fixed, count(*) FILTER (WHERE flags & 2 <> 0) AS odd
  FROM (SELECT part, turn, min(flags) AS flags FROM staged GROUP BY part, turn, key_hash) AS each
 GROUP BY part, turn
