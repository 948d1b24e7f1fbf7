-- A remap that moves: the Feed itself goes to the Test of the new Product, with findings, decisions, journal, held and
-- proofs; unless this Record has a Feed there already.
-- Parameters: feeds and tests, pairwise. Locks: the caller holds the Records. Rows: the Records whose Feed went.
UPDATE feed
   SET test_id = target.test_id
  FROM unnest(%(feeds)s::bigint[], %(tests)s::bigint[]) AS target (feed_id, test_id)
 WHERE feed.id = target.feed_id
   AND NOT EXISTS (SELECT FROM feed AS there WHERE (there.record_id, there.test_id) = (feed.record_id, target.test_id))
RETURNING feed.record_id
