-- Of VEPs that came more than once only the last stays; one that could be read goes before one that could not.
-- Locks: none. Rows: as many as came too often.
DELETE FROM staged_vep
 USING (
    SELECT ctid, row_number() OVER (PARTITION BY vendor_id ORDER BY odd, n DESC) AS nth FROM staged_vep
 ) AS ordered
 WHERE staged_vep.ctid = ordered.ctid AND ordered.nth > 1
