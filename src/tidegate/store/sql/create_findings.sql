-- New findings, as binary COPY: the texts come straight from the spool.
-- Locks: the caller holds the Record. Rows: one a new finding.
COPY finding (feed_id, family, branch, key_hash, fingerprint, mapping_version, severity_vendor, severity,
              vendor_verdict, open, active, created_operation, key, title, fields) FROM STDIN (FORMAT binary)
