-- A hundred thousand empty Products, or Feeds, that go at once: the undo of a step.

-- The same as 0014_lost_target says, by a look whether there is any such Record: with a list of Feeds for a parameter, the
-- join of five was planned anew for each of the four rows that go with a Product (measured: 0.5 ms each). Here they come
-- by a query, and one plan fits any number.
CREATE OR REPLACE FUNCTION record_lose_target() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    losing bigint[];
BEGIN
    IF TG_TABLE_NAME = 'feed' THEN
        losing := ARRAY(SELECT id FROM record WHERE feed_id = OLD.id);
    ELSIF TG_TABLE_NAME = 'test' THEN
        losing := ARRAY(SELECT id FROM record
                         WHERE feed_id = ANY (ARRAY(SELECT id FROM feed WHERE test_id = OLD.id)));
    ELSIF TG_TABLE_NAME = 'engagement' THEN
        losing := ARRAY(SELECT id FROM record
                         WHERE feed_id = ANY (ARRAY(SELECT feed.id
                                                      FROM test
                                                      JOIN feed ON feed.test_id = test.id
                                                     WHERE test.engagement_id = OLD.id)));
    ELSE
        losing := ARRAY(SELECT id FROM record
                         WHERE feed_id = ANY (ARRAY(SELECT feed.id
                                                      FROM engagement
                                                      JOIN test ON test.engagement_id = engagement.id
                                                      JOIN feed ON feed.test_id = test.id
                                                     WHERE engagement.product_id = OLD.id)));
    END IF;
    IF cardinality(losing) > 0 THEN
        UPDATE record
           SET feed_id = NULL,
               target_lost_at = now(),
               target_lost = TG_TABLE_NAME,
               earlier_product_id = CASE WHEN TG_TABLE_NAME = 'product' THEN NULL ELSE product.id END,
               earlier_product_name = product.name,
               epoch = record.epoch + 1
          FROM feed
          JOIN test ON test.id = feed.test_id
          JOIN engagement ON engagement.id = test.engagement_id
          JOIN product ON product.id = engagement.product_id
         WHERE record.id = ANY (losing) AND feed.id = record.feed_id;
    END IF;
    RETURN OLD;
END $$;

-- A Feed that never held a finding has no number of its first one (0013_lists), so no tallies and no words either: there is
-- nothing to take away, and a DELETE that finds no rows would fire the triggers of its own table all the same. Whoever
-- writes its first finding holds the Feed, and a deletion sees the number.
CREATE OR REPLACE TRIGGER feed_leaves_connection_tally BEFORE DELETE ON feed
    FOR EACH ROW WHEN (OLD.first_finding IS NOT NULL) EXECUTE FUNCTION connection_tally_left();
CREATE OR REPLACE TRIGGER feed_leaves_product_tally BEFORE DELETE ON feed
    FOR EACH ROW WHEN (OLD.first_finding IS NOT NULL) EXECUTE FUNCTION feed_leaves_product_tally();
CREATE OR REPLACE TRIGGER feed_takes_its_findings AFTER DELETE ON feed
    FOR EACH ROW WHEN (OLD.first_finding IS NOT NULL) EXECUTE FUNCTION feed_takes_its_findings();
