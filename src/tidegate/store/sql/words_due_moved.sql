-- Findings that went to another Feed are looked for there: those without words yet, and those whose words still name the
-- Feed they came from, by which a search within a Feed knows them.
-- Parameters: feed (where they are now), findings. Locks: none. Rows: one a finding.
INSERT INTO words_due (feed_id, finding_id)
SELECT %(feed)s, finding.id
  FROM finding
 WHERE finding.id = ANY(%(findings)s::bigint[])
   AND finding.feed_id = %(feed)s
   AND NOT EXISTS (SELECT FROM finding_words
                    WHERE finding_words.finding_id = finding.id AND finding_words.feed_id = finding.feed_id)
