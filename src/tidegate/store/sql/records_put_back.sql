-- Puts the facts of Records back to what they were before a step.
-- Parameters: facts (a JSON array of objects). Locks: the caller holds the Records. Rows: one a Record.
UPDATE record
   SET decision = was.decision,
       feed_id = was.feed_id,
       finalized_at = was.finalized_at,
       finalized_by = was.finalized_by,
       finalized_how = was.finalized_how,
       hands_off = was.hands_off,
       ignored_because = was.ignored_because,
       target_lost_at = was.target_lost_at,
       target_lost = was.target_lost,
       earlier_product_id = product.id,
       earlier_product_name = was.earlier_product_name,
       deleted_at = was.deleted_at,
       epoch = record.epoch + 1
  FROM jsonb_to_recordset(%(facts)s::jsonb)
       AS was (id bigint, decision text, feed_id bigint, finalized_at timestamptz, finalized_by text, finalized_how text,
               hands_off boolean, ignored_because text, target_lost_at timestamptz, target_lost text,
               earlier_product_id bigint, earlier_product_name text, deleted_at timestamptz)
  LEFT JOIN product ON product.id = was.earlier_product_id
 WHERE record.id = was.id
