-- The same as 0002_target_lost says, by the Feeds that go: a condition that depends on which table fires cannot use an
-- index, and was planned anew for each of four rows that go with a Product. Undoing 10,000 new Products spent most of
-- its time so.
CREATE OR REPLACE FUNCTION record_lose_target() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    going bigint[];
BEGIN
    IF TG_TABLE_NAME = 'feed' THEN
        going := ARRAY[OLD.id];
    ELSIF TG_TABLE_NAME = 'test' THEN
        going := ARRAY(SELECT id FROM feed WHERE test_id = OLD.id);
    ELSIF TG_TABLE_NAME = 'engagement' THEN
        going := ARRAY(SELECT feed.id FROM feed JOIN test ON test.id = feed.test_id WHERE test.engagement_id = OLD.id);
    ELSE
        going := ARRAY(SELECT feed.id
                         FROM feed
                         JOIN test ON test.id = feed.test_id
                         JOIN engagement ON engagement.id = test.engagement_id
                        WHERE engagement.product_id = OLD.id);
    END IF;
    IF cardinality(going) > 0 THEN
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
         WHERE record.feed_id = ANY (going) AND feed.id = record.feed_id;
    END IF;
    RETURN OLD;
END $$;
