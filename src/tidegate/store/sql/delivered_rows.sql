-- These findings as they stand here, with what people decided, and as they were last written and seen there.
-- Parameters: delivered, test, findings. Locks: none. Rows: one a finding that is there, by number.
SELECT finding.id, finding.xmin::text::bigint AS version, finding.title, finding.severity, finding.open, finding.active,
       finding.created_at, finding.vendor_verdict, finding.fields, finding.family,
       finding.branch, finding.key, finding.closed_because, feed.test_id = %(test)s AS here, feed.record_id,
       there.id AS row, there.their_id, there.written, there.seen, there.meant, there.at, coalesce(there.gone, false) AS gone,
       decided.by_field
  FROM finding
  JOIN feed ON feed.id = finding.feed_id
  LEFT JOIN delivered_finding AS there
         ON there.delivered_test_id = %(delivered)s AND there.finding_id = finding.id
  LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(field, jsonb_build_object('value', value, 'at', at, 'until', until, 'by', by)) AS by_field
      FROM decision
     WHERE (decision.feed_id, decision.family, decision.key_hash) = (finding.feed_id, finding.family, finding.key_hash)
  ) AS decided ON true
 WHERE finding.id = ANY(%(findings)s::bigint[])
 ORDER BY finding.id
