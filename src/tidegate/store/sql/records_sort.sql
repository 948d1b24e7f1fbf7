-- What a decision about many Records comes to, in groups: who may not, what cannot be decided now, what is so already, and
-- what changes. The words are those of rules/bulk.py.
-- Parameters: records; mine (those with which the asker may do it) and products (those into which they may map), each null
-- for all; deed; product (of `map`; null for a new one), because (of `ignore`); most (so many ids of a group at most).
-- Locks: none; who acts holds the Records. Rows: one a fate.
WITH sorted AS (
    SELECT record.id,
           CASE
               WHEN NOT (%(mine)s::bigint[] IS NULL OR record.id = ANY(%(mine)s::bigint[])) THEN 'forbidden'
               WHEN record.changing_operation_id IS NOT NULL THEN 'changing'
               WHEN %(deed)s = 'map' AND test.product_id = %(product)s::bigint THEN 'flows'
               WHEN %(deed)s IN ('map', 'map each') THEN CASE WHEN test.product_id IS NULL THEN 'map' ELSE 'remap' END
               WHEN %(deed)s = 'ignore' THEN CASE
                   WHEN record.decision = 'ignored' AND %(because)s IN ('', record.ignored_because) THEN 'ignored'
                   ELSE 'ignore'
               END
               WHEN %(deed)s = 'restore' THEN CASE WHEN record.decision = 'undecided' THEN 'new' ELSE 'restore' END
               WHEN %(deed)s = 'restore to earlier' THEN CASE
                   WHEN record.decision = 'mapped' AND record.target_lost = '' THEN 'mapped'
                   WHEN record.earlier_product_id IS NULL AND record.earlier_product_name <> '' THEN 'earlier deleted'
                   WHEN record.earlier_product_id IS NULL THEN 'never mapped'
                   WHEN %(products)s::bigint[] IS NULL OR record.earlier_product_id = ANY(%(products)s::bigint[])
                       THEN 'earlier'
                   ELSE 'earlier forbidden'
               END
               WHEN %(deed)s = 'sync' THEN CASE
                   WHEN record.feed_id IS NULL OR record.absent_since IS NOT NULL THEN 'not good'
                   WHEN connection.paused_at IS NOT NULL THEN 'paused'
                   ELSE 'sync'
               END
               ELSE 'delete'
           END AS fate
      FROM record
      JOIN connection ON connection.id = record.connection_id
      LEFT JOIN feed ON feed.id = record.feed_id
      LEFT JOIN (
          SELECT test.id, engagement.product_id FROM test JOIN engagement ON engagement.id = test.engagement_id
      ) AS test ON test.id = feed.test_id
     WHERE record.id = ANY(%(records)s::bigint[])
)
SELECT fate, count(*) AS number, (array_agg(id ORDER BY id))[:%(most)s] AS ids
  FROM sorted
 GROUP BY fate
 ORDER BY fate
