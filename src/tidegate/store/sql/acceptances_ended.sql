-- The Records with a finding that is still shown as accepted although the acceptance has ended.
-- Parameters: now. Locks: none. Rows: one a Record.
SELECT DISTINCT feed.record_id
  FROM decision
  JOIN finding ON (finding.feed_id, finding.family, finding.key_hash)
                = (decision.feed_id, decision.family, decision.key_hash)
  JOIN feed ON feed.id = decision.feed_id
 WHERE decision.field = 'verdict'
   AND decision.until <= %(now)s::timestamptz
   AND finding.open AND NOT finding.active AND finding.vendor_verdict = 0
 ORDER BY feed.record_id
