-- Takes the mapping away, if there is one, and remembers it: to ignored, to undecided, or to deleted. Who takes an
-- automatic decision away by hand does not want it back: hands off.
-- Parameters: records and why each is ignored (becauses), pairwise; decision ('ignored' or 'undecided'), actor, how,
-- deleted (boolean).
-- Locks: the caller holds the Records. Rows: one a Record.
UPDATE record
   SET decision = %(decision)s,
       feed_id = NULL,
       finalized_at = CASE WHEN %(decision)s = 'undecided' THEN NULL ELSE now() END,
       finalized_by = CASE WHEN %(decision)s = 'undecided' THEN '' ELSE %(actor)s END,
       finalized_how = CASE WHEN %(decision)s = 'undecided' THEN '' ELSE %(how)s END,
       hands_off = CASE
           WHEN %(decision)s = 'ignored' THEN false
           WHEN %(deleted)s THEN record.hands_off
           ELSE %(how)s::text = 'person' AND record.finalized_how IN ('auto-map', 'rule')
       END,
       ignored_because = target.because,
       target_lost_at = NULL,
       target_lost = '',
       earlier_product_id = coalesce(product.id, record.earlier_product_id),
       earlier_product_name = coalesce(product.name, record.earlier_product_name),
       deleted_at = CASE WHEN %(deleted)s THEN now() END,
       epoch = record.epoch + 1
  FROM unnest(%(records)s::bigint[], %(becauses)s::text[]) AS target (record_id, because)
  JOIN record AS this ON this.id = target.record_id
  LEFT JOIN feed ON feed.id = this.feed_id
  LEFT JOIN test ON test.id = feed.test_id
  LEFT JOIN engagement ON engagement.id = test.engagement_id
  LEFT JOIN product ON product.id = engagement.product_id
 WHERE record.id = this.id
