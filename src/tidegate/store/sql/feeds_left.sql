-- Feeds at which no Sync looks any more, whole; or a Family of them, that is skipped since. As reads/count.py says it.
-- Parameters: feeds (null for all). Locks: none. Rows: one a Feed and way; some say it twice.
SELECT feed.id, true AS whole
  FROM feed
 WHERE (%(feeds)s::bigint[] IS NULL OR feed.id = ANY (%(feeds)s::bigint[]))
   AND NOT EXISTS (SELECT FROM record WHERE record.feed_id = feed.id)
UNION ALL
SELECT record.feed_id, true
  FROM record
 WHERE record.absent_since IS NOT NULL AND record.feed_id IS NOT NULL
   AND (%(feeds)s::bigint[] IS NULL OR record.feed_id = ANY (%(feeds)s::bigint[]))
UNION ALL
SELECT record.feed_id, true
  FROM connection
  JOIN record ON record.connection_id = connection.id
 WHERE connection.deleted_at IS NOT NULL AND record.feed_id IS NOT NULL
   AND (%(feeds)s::bigint[] IS NULL OR record.feed_id = ANY (%(feeds)s::bigint[]))
UNION ALL
SELECT feed_id, false
  FROM part
 WHERE last_outcome = 'skipped' AND (%(feeds)s::bigint[] IS NULL OR feed_id = ANY (%(feeds)s::bigint[]))
