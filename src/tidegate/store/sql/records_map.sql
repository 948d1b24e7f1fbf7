-- Maps each Record to a Product: its Feed there is from now on where its findings go. The Product it was mapped to
-- before is remembered; one that was remembered and is this one now is forgotten. Ids come in pairs, not by joins from
-- Product to Feed: for ten thousand Records that were just made the planner guesses wrong (measured: minutes).
-- Parameters: records, feeds, products, and the ids and names of products before (null where there was none), pairwise;
-- actor, how. Locks: the caller holds the Records. Rows: one a Record.
UPDATE record
   SET decision = 'mapped',
       feed_id = target.feed_id,
       finalized_at = now(),
       finalized_by = %(actor)s,
       finalized_how = %(how)s,
       hands_off = false,
       ignored_because = '',
       target_lost_at = NULL,
       target_lost = '',
       earlier_product_id = CASE
           WHEN target.before_id IS NOT NULL THEN target.before_id
           WHEN record.earlier_product_id IS DISTINCT FROM target.product_id THEN record.earlier_product_id
       END,
       earlier_product_name = CASE
           WHEN target.before_id IS NOT NULL THEN target.before_name
           WHEN record.earlier_product_id IS DISTINCT FROM target.product_id THEN record.earlier_product_name
           ELSE ''
       END,
       epoch = record.epoch + 1
  FROM unnest(%(records)s::bigint[], %(feeds)s::bigint[], %(products)s::bigint[], %(before)s::bigint[],
              %(before_names)s::text[])
       AS target (record_id, feed_id, product_id, before_id, before_name)
 WHERE record.id = target.record_id
