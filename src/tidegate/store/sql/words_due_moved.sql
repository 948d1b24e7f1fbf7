-- Findings that went to another Feed before their words were indexed are looked for there.
-- Parameters: feed (where they are now), findings. Locks: none. Rows: one a finding without words.
INSERT INTO words_due (feed_id, finding_id)
SELECT %(feed)s, finding.id
  FROM finding
 WHERE finding.id = ANY(%(findings)s::bigint[])
   AND finding.feed_id = %(feed)s
   AND NOT EXISTS (SELECT FROM finding_words WHERE finding_words.finding_id = finding.id)
