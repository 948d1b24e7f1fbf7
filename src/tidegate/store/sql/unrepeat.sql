-- Of rows that came more than once only the last stays: the second reading wins, and within one the later row.
-- Locks: none. Rows: as many as came too often.
DELETE FROM staged
 USING (
    SELECT ctid, row_number() OVER (PARTITION BY part, key_hash ORDER BY (flags & 2), turn DESC, position DESC, ctid DESC) AS nth
      FROM staged
 ) AS ordered
 WHERE staged.ctid = ordered.ctid AND ordered.nth > 1
