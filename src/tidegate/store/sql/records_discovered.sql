-- What a Discover has done in this transaction, Record by Record and of each kind the first so many: read from the history
-- that the trigger wrote, before a preview takes all of it back. A Record that is new has no number then. What is back and
-- revived at once is both, as in the counts. A Product was made here where it is as old as this transaction.
-- Parameters: operation, connection, kept (of each kind). Locks: none. Rows: one a difference.
WITH history AS MATERIALIZED (
    SELECT record_id, before, after FROM record_history WHERE operation_id = %(operation)s
), facts AS (
    SELECT record.id, record.vendor_id, record.name, record.parent, product.name AS product,
           coalesce(product.created_at = now(), false) AS made,
           CASE WHEN record.first_seen_operation_id IS DISTINCT FROM %(operation)s THEN record.id END AS known_as
      FROM record
      LEFT JOIN feed ON feed.id = record.feed_id
      LEFT JOIN test ON test.id = feed.test_id
      LEFT JOIN engagement ON engagement.id = test.engagement_id
      LEFT JOIN product ON product.id = engagement.product_id
     WHERE record.connection_id = %(connection)s
), differences AS (
    SELECT 'new' AS kind, facts.id, '{}'::jsonb AS before,
           CASE WHEN parent <> '' THEN jsonb_build_object('parent', parent) ELSE '{}' END AS after
      FROM facts WHERE known_as IS NULL
     UNION ALL
    SELECT kind.word, record_id,
           history.before - ARRAY(SELECT key FROM jsonb_object_keys(history.before) AS key
                                   WHERE key NOT IN ('name', 'parent', 'url', 'attributes')),
           history.after - ARRAY(SELECT key FROM jsonb_object_keys(history.after) AS key
                                  WHERE key NOT IN ('name', 'parent', 'url', 'attributes'))
      FROM history
     CROSS JOIN LATERAL (
        SELECT 'back' AS word WHERE history.before ->> 'absent_since' IS NOT NULL
         UNION ALL
        SELECT 'revived' WHERE history.before ->> 'deleted_at' IS NOT NULL
         UNION ALL
        SELECT 'renamed' WHERE history.after ?| ARRAY['name', 'parent', 'url', 'attributes']
                           AND NOT history.after ?| ARRAY['absent_since', 'deleted_at']
     ) AS kind
     UNION ALL
    SELECT 'missing', record_id, jsonb_strip_nulls(jsonb_build_object('product', facts.product)), '{}'
      FROM history JOIN facts ON facts.id = history.record_id
     WHERE history.after ->> 'absent_since' IS NOT NULL
     UNION ALL
    SELECT 'held', record_id, jsonb_strip_nulls(jsonb_build_object('product', facts.product)), '{}'
      FROM held_absence JOIN facts ON facts.id = held_absence.record_id
     WHERE held_absence.connection_id = %(connection)s AND held_absence.latest_operation_id = %(operation)s
     UNION ALL
    SELECT 'mapped', record_id, '{}', jsonb_build_object('product', facts.product, 'made', facts.made)
      FROM history JOIN facts ON facts.id = history.record_id
     WHERE history.after ->> 'decision' = 'mapped'
     UNION ALL
    SELECT 'ignored', record_id, '{}', jsonb_build_object('because', history.after -> 'ignored_because')
      FROM history
     WHERE history.after ->> 'decision' = 'ignored'
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY id) AS nth FROM differences
)
SELECT numbered.kind, facts.known_as AS record_id, facts.vendor_id AS key, facts.name AS title, numbered.before,
       numbered.after
  FROM numbered
  JOIN facts ON facts.id = numbered.id
 WHERE numbered.nth <= %(kept)s
 ORDER BY numbered.kind, numbered.nth
