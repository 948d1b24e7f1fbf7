-- Where a Feed went as a whole, with the Products' names of then; by whomever, plain SQL included. Findings that are a
-- million have no line of journal each for that.
ALTER TABLE feed_move ADD CONSTRAINT feed_move_feed FOREIGN KEY (feed_id) REFERENCES feed ON DELETE CASCADE;

CREATE FUNCTION feed_keep_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO feed_move (feed_id, actor, operation, step, "left", went_to)
    SELECT NEW.id,
           coalesce(nullif(current_setting('tidegate.actor', true), ''), 'plain SQL by ' || session_user),
           nullif(current_setting('tidegate.operation', true), '')::bigint,
           nullif(current_setting('tidegate.step', true), '')::uuid,
           was.name,
           is_now.name
      FROM (SELECT test.id, product.id AS product_id, product.name
              FROM test
              JOIN engagement ON engagement.id = test.engagement_id
              JOIN product ON product.id = engagement.product_id) AS was
      JOIN (SELECT test.id, product.id AS product_id, product.name
              FROM test
              JOIN engagement ON engagement.id = test.engagement_id
              JOIN product ON product.id = engagement.product_id) AS is_now ON is_now.id = NEW.test_id
     WHERE was.id = OLD.test_id AND was.product_id <> is_now.product_id;
    RETURN NULL;
END $$;

CREATE TRIGGER feed_move AFTER UPDATE OF test_id ON feed
    FOR EACH ROW WHEN (OLD.test_id IS DISTINCT FROM NEW.test_id) EXECUTE FUNCTION feed_keep_move();

-- Moves of before: a Record that stayed mapped, to the same Feed, and remembers another Product; or that forgot it again
-- in an undo (a step of version 5). Which Product it went to nobody wrote down.
INSERT INTO feed_move (feed_id, at, actor, operation, step, "left", went_to)
SELECT feed.id, line.at, line.actor, line.operation_id, line.step,
       CASE WHEN substr(line.step::text, 15, 1) = '5' THEN '' ELSE coalesce(line.after ->> 'earlier_product_name', '') END,
       CASE WHEN substr(line.step::text, 15, 1) = '5' THEN coalesce(line.before ->> 'earlier_product_name', '') ELSE '' END
  FROM record_history AS line
  JOIN record ON record.id = line.record_id
  JOIN feed ON feed.id = coalesce((
           SELECT (later.before ->> 'feed_id')::bigint
             FROM record_history AS later
            WHERE later.record_id = line.record_id AND later.id > line.id AND later.before ? 'feed_id'
            ORDER BY later.id
            LIMIT 1
       ), record.feed_id)
 WHERE line.step IS NOT NULL
   AND line.after ? 'finalized_at' AND line.after ? 'earlier_product_id'
   AND NOT line.after ?| ARRAY['feed_id', 'decision']
   AND CASE WHEN substr(line.step::text, 15, 1) = '5' THEN line.before ELSE line.after END ->> 'earlier_product_id' IS NOT NULL
 ORDER BY line.id;

-- Whoever deletes an Operation asks first, for some hundred at once, whether anything names it (operations_forget.sql);
-- without an index each single one cost a look through all Records and proofs, four times (measured: 66 ms a
-- deletion), and an index would cost each Sync one more update.
ALTER TABLE part DROP CONSTRAINT part_proven;
ALTER TABLE part DROP CONSTRAINT part_last;
ALTER TABLE record DROP CONSTRAINT record_first_seen;
ALTER TABLE record DROP CONSTRAINT record_absent;
