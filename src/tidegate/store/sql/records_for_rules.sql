-- The next Records of a Connection, by id, that mapping rules may decide: undecided ones, and with `again` those that a
-- rule decided. Hands off, absent and deleted ones are nobody's but a person's, and so are those a change works on.
-- Parameters: connection, after (an id), batch (how many at most), again (boolean). Locks: these Records, by id.
-- Rows: one a Record.
WITH locked AS MATERIALIZED (
    SELECT record.*
      FROM record
     WHERE record.connection_id = %(connection)s
       AND record.id > %(after)s
       AND (record.decision = 'undecided' OR (%(again)s::boolean AND record.finalized_how = 'rule'))
       AND NOT record.hands_off
       AND record.deleted_at IS NULL
       AND record.absent_since IS NULL
       AND record.changing_operation_id IS NULL
       AND NOT EXISTS (SELECT FROM held_absence WHERE held_absence.record_id = record.id)
     ORDER BY record.id
     LIMIT %(batch)s
       FOR UPDATE
)
SELECT locked.id, locked.name, locked.parent, locked.vendor_id, locked.attributes, locked.decision,
       locked.ignored_because, product.id AS product_id, product.name AS product_name
  FROM locked
  LEFT JOIN feed ON feed.id = locked.feed_id
  LEFT JOIN test ON test.id = feed.test_id
  LEFT JOIN engagement ON engagement.id = test.engagement_id
  LEFT JOIN product ON product.id = engagement.product_id
 ORDER BY locked.id
