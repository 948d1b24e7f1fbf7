-- Keeps what was seen of these findings there, where people had changed it.
-- Parameters: delivered; findings, seen: one for each. Locks: none beyond its rows. Rows: one a finding.
UPDATE delivered_finding AS there
   SET seen = told.seen
  FROM unnest(%(findings)s::bigint[], %(seen)s::jsonb[]) AS told (finding, seen)
 WHERE there.delivered_test_id = %(delivered)s AND there.finding_id = told.finding
