-- The Records that auto-map may decide, with the Product they had before: the one remembered, else the one whose Test
-- holds the newest findings of the Record. `had_one`: there was an earlier Product, and it was deleted since.
-- Parameters: connection. Locks: these Records, by id. Rows: one a Record.
WITH locked AS MATERIALIZED (
    SELECT record.*
      FROM record
     WHERE record.connection_id = %(connection)s
       AND record.decision = 'undecided'
       AND NOT record.hands_off
       AND record.deleted_at IS NULL
       AND record.absent_since IS NULL
       AND NOT EXISTS (SELECT FROM held_absence WHERE held_absence.record_id = record.id)
     ORDER BY record.id
       FOR UPDATE
)
SELECT locked.id, locked.name, locked.parent,
       coalesce(locked.earlier_product_id, held_there.product_id) AS earlier_product_id,
       locked.earlier_product_id IS NULL AND locked.earlier_product_name <> '' AS had_one
  FROM locked
  LEFT JOIN LATERAL (
    SELECT engagement.product_id
      FROM feed
      JOIN test ON test.id = feed.test_id
      JOIN engagement ON engagement.id = test.engagement_id
     WHERE feed.record_id = locked.id AND engagement.kind = 'connectors'
       AND EXISTS (SELECT FROM finding WHERE finding.feed_id = feed.id)
     ORDER BY feed.id DESC
     LIMIT 1
  ) AS held_there ON true
 ORDER BY locked.id
