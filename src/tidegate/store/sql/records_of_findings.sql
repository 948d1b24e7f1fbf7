-- The Records that findings came from.
-- Parameters: findings. Locks: none. Rows: one a finding.
SELECT finding.id, feed.record_id
  FROM finding
  JOIN feed ON feed.id = finding.feed_id
 WHERE finding.id = ANY(%(findings)s::bigint[])
