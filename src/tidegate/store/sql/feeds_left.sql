-- Feeds with open findings at which no Sync looks any more, whole; or a Family of them, that is skipped since. As
-- reads/count.py says it.
-- Parameters: feeds (null for all). Locks: none. Rows: one a Feed and way; some say it twice. `open`: its open findings.
SELECT id, true AS whole, open_findings AS open
  FROM feed
 WHERE behind AND open_findings > 0 AND (%(feeds)s::bigint[] IS NULL OR id = ANY (%(feeds)s::bigint[]))
UNION ALL
SELECT feed.id, true, feed.open_findings
  FROM connection
  JOIN test ON test.connection_id = connection.id
  JOIN feed ON feed.test_id = test.id
 WHERE connection.deleted_at IS NOT NULL AND NOT feed.behind AND feed.open_findings > 0
   AND (%(feeds)s::bigint[] IS NULL OR feed.id = ANY (%(feeds)s::bigint[]))
UNION ALL
SELECT feed_id, false, 0
  FROM part
 WHERE last_outcome = 'skipped' AND (%(feeds)s::bigint[] IS NULL OR feed_id = ANY (%(feeds)s::bigint[]))
