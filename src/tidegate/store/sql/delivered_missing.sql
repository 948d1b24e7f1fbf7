-- Findings of ours that a whole reading of their Test did not show: deleted there. They are not made again silently.
-- Parameters: delivered, theirs (all numbers that were read). Locks: none beyond its rows. Rows: one a finding.
UPDATE delivered_finding AS there
   SET gone = true
 WHERE there.delivered_test_id = %(delivered)s AND NOT there.gone AND there.their_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM unnest(%(theirs)s::bigint[]) AS read (their_id) WHERE read.their_id = there.their_id)
RETURNING there.finding_id
