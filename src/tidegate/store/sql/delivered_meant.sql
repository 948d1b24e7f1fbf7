-- Notes what is about to be written there of these findings, before it is: whoever comes after a death knows it again.
-- Parameters: delivered; findings, meant: one for each. Locks: none beyond its rows. Rows: one a finding.
UPDATE delivered_finding AS there
   SET meant = told.meant
  FROM unnest(%(findings)s::bigint[], %(meant)s::jsonb[]) AS told (finding, meant)
 WHERE there.delivered_test_id = %(delivered)s AND there.finding_id = told.finding
