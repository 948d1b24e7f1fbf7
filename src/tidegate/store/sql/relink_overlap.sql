-- Of the first findings of a new Record, how many the Missing one of its pair has too, by the vendor's own ids and in
-- the same Branch.
-- Parameters: missing and news (ids of Records), pairwise; looked_at (so many findings at most). Locks: none.
-- Rows: one a pair whose new Record has findings.
SELECT pair.missing_id, pair.new_id, count(*) AS looked_at,
       count(*) FILTER (WHERE EXISTS (
           SELECT FROM feed
             JOIN finding AS theirs ON theirs.feed_id = feed.id
            WHERE feed.record_id = pair.missing_id AND (theirs.family, theirs.branch, theirs.key_hash)
                                                      = (ours.family, ours.branch, ours.key_hash)
       )) AS shared
  FROM unnest(%(missing)s::bigint[], %(news)s::bigint[]) AS pair (missing_id, new_id)
 CROSS JOIN LATERAL (
    SELECT finding.family, finding.branch, finding.key_hash
      FROM feed
      JOIN finding ON finding.feed_id = feed.id
     WHERE feed.record_id = pair.new_id
     LIMIT %(looked_at)s
 ) AS ours
 GROUP BY pair.missing_id, pair.new_id
