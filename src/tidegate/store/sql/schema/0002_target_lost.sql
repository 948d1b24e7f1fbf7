-- A mapped Record whose Product, Engagement, Test or Feed is deleted loses its target, whoever deletes it, plain SQL
-- included. Each level has its own trigger because the name of a Product is gone by the time its cascade reaches a Test.
CREATE FUNCTION record_lose_target() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
     WHERE record.feed_id = feed.id
       AND CASE TG_TABLE_NAME
               WHEN 'product' THEN product.id
               WHEN 'engagement' THEN engagement.id
               WHEN 'test' THEN test.id
               WHEN 'feed' THEN feed.id
           END = OLD.id;
    RETURN OLD;
END $$;

CREATE TRIGGER product_lose_target BEFORE DELETE ON product FOR EACH ROW EXECUTE FUNCTION record_lose_target();
CREATE TRIGGER engagement_lose_target BEFORE DELETE ON engagement FOR EACH ROW EXECUTE FUNCTION record_lose_target();
CREATE TRIGGER test_lose_target BEFORE DELETE ON test FOR EACH ROW EXECUTE FUNCTION record_lose_target();
CREATE TRIGGER feed_lose_target BEFORE DELETE ON feed FOR EACH ROW EXECUTE FUNCTION record_lose_target();
