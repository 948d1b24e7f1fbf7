-- The rows to create, in the order they were read; hashes as bytes, as COPY takes them.
-- Locks: none. Rows: one a new finding; read in chunks.
SELECT part, uuid_send(key_hash), uuid_send(fingerprint), severity_vendor, severity, verdict, active, position, length
  FROM compared
 WHERE kind = 1
 ORDER BY position
