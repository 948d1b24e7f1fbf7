-- What a decision about many findings comes to, in groups: who may not, what cannot be decided now, what is so already, and
-- what changes. The words are those of rules/bulk.py; what nothing watches is what findings_close_unwatched.sql closes.
-- Parameters: findings; mine (those with which the asker may do it; null for all); deed (`decide` or `close`); most (so many
-- ids of a group at most). Locks: none; who acts holds the Records. Rows: one a fate.
WITH sorted AS (
    SELECT finding.id,
           CASE
               WHEN NOT (%(mine)s::bigint[] IS NULL OR finding.id = ANY(%(mine)s::bigint[])) THEN 'forbidden'
               WHEN record.changing_operation_id IS NOT NULL THEN 'changing'
               WHEN %(deed)s = 'decide' THEN 'decide'
               WHEN NOT finding.open THEN 'closed'
               WHEN record.feed_id IS DISTINCT FROM finding.feed_id
                   OR record.absent_since IS NOT NULL
                   OR connection.deleted_at IS NOT NULL
                   OR part.last_outcome = 'skipped' THEN 'close'
               ELSE 'watched'
           END AS fate
      FROM finding
      JOIN feed ON feed.id = finding.feed_id
      JOIN record ON record.id = feed.record_id
      JOIN connection ON connection.id = record.connection_id
      LEFT JOIN part ON (part.feed_id, part.family, part.branch) = (finding.feed_id, finding.family, finding.branch)
     WHERE finding.id = ANY(%(findings)s::bigint[])
)
SELECT fate, count(*) AS number, (array_agg(id ORDER BY id))[:%(most)s] AS ids
  FROM sorted
 GROUP BY fate
 ORDER BY fate
