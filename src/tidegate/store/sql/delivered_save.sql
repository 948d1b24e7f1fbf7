-- Keeps what was written and seen of these findings there.
-- Parameters: delivered; findings, versions, theirs (their numbers), written, seen,
-- ats (when ours was read): one for each. Locks: none beyond its
-- rows. Rows: one a finding.
INSERT INTO delivered_finding AS there (delivered_test_id, finding_id, version, their_id, gone, written, seen, meant, at)
SELECT %(delivered)s, finding, version, their_id, false, written, seen, NULL, at
  FROM unnest(%(findings)s::bigint[], %(versions)s::bigint[], %(theirs)s::bigint[], %(written)s::bytea[],
              %(seen)s::jsonb[], %(ats)s::timestamptz[]) AS told (finding, version, their_id, written, seen, at)
    ON CONFLICT (delivered_test_id, finding_id) DO UPDATE
   SET version = excluded.version, their_id = excluded.their_id, gone = false, written = excluded.written,
       seen = excluded.seen, meant = NULL, at = excluded.at
