-- The rows to create, as records of fixed width, many to a chunk: part, position and length in the spool, hashes, two
-- severities, verdict, active. Row by row the client would spend more time on them than on all else (measured). A chunk
-- is what begins in so many bytes of the spool.
-- Parameters: bytes. Locks: none. Rows: one a chunk, read one by one.
SELECT string_agg(
           int2send(part) || int8send(position) || int4send(length) || uuid_send(key_hash) || uuid_send(fingerprint)
               || int2send(severity_vendor) || int2send(severity) || int2send(verdict) || boolsend(active), ''
       ) AS records
  FROM compared
 WHERE kind = 1
 GROUP BY position / %(bytes)s
 ORDER BY position / %(bytes)s
