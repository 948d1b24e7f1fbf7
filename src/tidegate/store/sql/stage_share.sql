-- A Record takes its share of what one walk brought for many: of the parts that count as read for it.
-- Parameters: record, parts, shared_from (where positions in the shared spool begin). Locks: none.
-- Rows: one a row of it.
INSERT INTO staged (turn, part, key_hash, fingerprint, severity, verdict, flags, position, length)
SELECT turn, part, key_hash, fingerprint, severity, verdict, flags, position + %(shared_from)s, length
  FROM walked
 WHERE record_id = %(record)s AND part = ANY(%(parts)s::smallint[])
