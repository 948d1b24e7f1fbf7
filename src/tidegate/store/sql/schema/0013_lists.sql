-- What lists of a million findings sum up and begin with, kept where it is made: by the tallies' own triggers and the
-- Record's, a handful of rows a statement.
--
-- A Feed knows how many open findings it holds, a number that none of them lies below, and whether its Record has left
-- it behind: then no Sync looks at it any more. What is skipped of a Feed is a fact of its parts, and a Connection's
-- deletion is one of the Connection.

-- The lowest number comes with the tally: new rows are read once.
CREATE OR REPLACE FUNCTION tally_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH counted AS MATERIALIZED (
        SELECT feed_id, family, branch, severity, open, active, count(*) AS n, min(id) AS first
          FROM new_rows
         GROUP BY feed_id, family, branch, severity, open, active
    ), kept AS (
        INSERT INTO tally (feed_id, family, branch, severity, open, active, n)
        SELECT feed_id, family, branch, severity, open, active, n FROM counted
            ON CONFLICT (feed_id, family, branch, severity, open, active) DO UPDATE SET n = tally.n + excluded.n
    )
    UPDATE feed SET first_finding = came.first
      FROM (SELECT feed_id, min(first) AS first FROM counted GROUP BY feed_id) AS came
     WHERE feed.id = came.feed_id AND (feed.first_finding IS NULL OR feed.first_finding > came.first);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tally_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH moved AS MATERIALIZED (
        SELECT feed_id, family, branch, severity, open, active, sum(n) AS n, min(id) AS first
          FROM (
            SELECT id, feed_id, family, branch, severity, open, active, 1 AS n FROM new_rows
            UNION ALL
            SELECT id, feed_id, family, branch, severity, open, active, -1 FROM old_rows
          ) AS each
         GROUP BY feed_id, family, branch, severity, open, active
        HAVING sum(n) <> 0
    ), kept AS (
        INSERT INTO tally (feed_id, family, branch, severity, open, active, n)
        SELECT feed_id, family, branch, severity, open, active, n FROM moved
            ON CONFLICT (feed_id, family, branch, severity, open, active) DO UPDATE SET n = tally.n + excluded.n
    )
    -- Those that come from another Feed may be older than what this one holds.
    UPDATE feed SET first_finding = came.first
      FROM (SELECT feed_id, min(first) AS first FROM moved WHERE n > 0 GROUP BY feed_id) AS came
     WHERE feed.id = came.feed_id AND (feed.first_finding IS NULL OR feed.first_finding > came.first);
    RETURN NULL;
END $$;

-- By Product as by Connection (0008_search): rows that only come, added up some time later. No foreign key: whoever adds
-- a row holds the Feed, which goes with its Product, and the Product takes its rows when all its Feeds are gone.
CREATE FUNCTION product_tally_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_tally (product_id, severity, open, active, n)
    SELECT engagement.product_id, new_rows.severity, new_rows.open, new_rows.active, sum(new_rows.n)
      FROM new_rows
      JOIN feed ON feed.id = new_rows.feed_id
      JOIN test ON test.id = feed.test_id
      JOIN engagement ON engagement.id = test.engagement_id
     GROUP BY 1, 2, 3, 4
    HAVING sum(new_rows.n) <> 0;
    UPDATE feed SET open_findings = feed.open_findings + came.n
      FROM (SELECT feed_id, sum(n) AS n FROM new_rows WHERE new_rows.open GROUP BY feed_id HAVING sum(n) <> 0) AS came
     WHERE feed.id = came.feed_id;
    RETURN NULL;
END $$;

CREATE FUNCTION product_tally_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH moved AS MATERIALIZED (
        SELECT feed_id, severity, open, active, sum(n) AS n
          FROM (
            SELECT feed_id, severity, open, active, n FROM new_rows
            UNION ALL
            SELECT feed_id, severity, open, active, -n FROM old_rows
          ) AS each
         GROUP BY feed_id, severity, open, active
        HAVING sum(n) <> 0
    ), kept AS (
        INSERT INTO product_tally (product_id, severity, open, active, n)
        SELECT engagement.product_id, moved.severity, moved.open, moved.active, sum(moved.n)
          FROM moved
          JOIN feed ON feed.id = moved.feed_id
          JOIN test ON test.id = feed.test_id
          JOIN engagement ON engagement.id = test.engagement_id
         GROUP BY 1, 2, 3, 4
        HAVING sum(moved.n) <> 0
    )
    UPDATE feed SET open_findings = feed.open_findings + came.n
      FROM (SELECT feed_id, sum(n) AS n FROM moved WHERE moved.open GROUP BY feed_id HAVING sum(n) <> 0) AS came
     WHERE feed.id = came.feed_id;
    RETURN NULL;
END $$;

CREATE TRIGGER tally_of_product_inserted AFTER INSERT ON tally
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION product_tally_inserted();
CREATE TRIGGER tally_of_product_updated AFTER UPDATE ON tally
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION product_tally_updated();

-- What leaves a Product: a Feed that is moved or goes, a Test, an Engagement. Where one goes because of what it lies in,
-- that has taken its share with it, and is not there any more.
CREATE FUNCTION feed_moves_product_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_tally (product_id, severity, open, active, n)
    SELECT engagement.product_id, tally.severity, tally.open, tally.active, sum(side.sign * tally.n)
      FROM (VALUES (OLD.test_id, -1), (NEW.test_id, 1)) AS side (test_id, sign)
      JOIN test ON test.id = side.test_id
      JOIN engagement ON engagement.id = test.engagement_id
      JOIN tally ON tally.feed_id = NEW.id
     GROUP BY 1, 2, 3, 4
    HAVING sum(side.sign * tally.n) <> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION feed_leaves_product_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_tally (product_id, severity, open, active, n)
    SELECT engagement.product_id, tally.severity, tally.open, tally.active, -sum(tally.n)
      FROM test
      JOIN engagement ON engagement.id = test.engagement_id
      JOIN tally ON tally.feed_id = OLD.id
     WHERE test.id = OLD.test_id
     GROUP BY 1, 2, 3, 4
    HAVING sum(tally.n) <> 0;
    RETURN OLD;
END $$;

CREATE FUNCTION test_leaves_product_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_tally (product_id, severity, open, active, n)
    SELECT engagement.product_id, tally.severity, tally.open, tally.active, -sum(tally.n)
      FROM engagement
      JOIN feed ON feed.test_id = OLD.id
      JOIN tally ON tally.feed_id = feed.id
     WHERE engagement.id = OLD.engagement_id
     GROUP BY 1, 2, 3, 4
    HAVING sum(tally.n) <> 0;
    RETURN OLD;
END $$;

CREATE FUNCTION engagement_leaves_product_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever writes into one of its Tests holds that, and ends first.
    PERFORM FROM test WHERE engagement_id = OLD.id ORDER BY id FOR UPDATE;
    INSERT INTO product_tally (product_id, severity, open, active, n)
    SELECT product.id, tally.severity, tally.open, tally.active, -sum(tally.n)
      FROM product
      JOIN test ON test.engagement_id = OLD.id
      JOIN feed ON feed.test_id = test.id
      JOIN tally ON tally.feed_id = feed.id
     WHERE product.id = OLD.product_id
     GROUP BY 1, 2, 3, 4
    HAVING sum(tally.n) <> 0;
    RETURN OLD;
END $$;

CREATE FUNCTION product_takes_its_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM product_tally WHERE product_id = OLD.id;
    RETURN NULL;
END $$;

CREATE TRIGGER feed_moves_product_tally AFTER UPDATE OF test_id ON feed
    FOR EACH ROW WHEN (OLD.test_id IS DISTINCT FROM NEW.test_id) EXECUTE FUNCTION feed_moves_product_tally();
CREATE TRIGGER feed_leaves_product_tally BEFORE DELETE ON feed
    FOR EACH ROW EXECUTE FUNCTION feed_leaves_product_tally();
CREATE TRIGGER test_leaves_product_tally BEFORE DELETE ON test
    FOR EACH ROW EXECUTE FUNCTION test_leaves_product_tally();
CREATE TRIGGER engagement_leaves_product_tally BEFORE DELETE ON engagement
    FOR EACH ROW EXECUTE FUNCTION engagement_leaves_product_tally();
-- Named so that it fires after PostgreSQL's own cascades (RI_…), as feed_takes_its_findings does.
CREATE TRIGGER product_takes_its_tally AFTER DELETE ON product
    FOR EACH ROW EXECUTE FUNCTION product_takes_its_tally();

-- A Record that flows elsewhere, or nowhere, or is absent, leaves its Feeds behind. By row, as its history is kept.
CREATE FUNCTION record_leaves_feeds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A target that is lost takes its Feed with it, and what is being deleted cannot be changed (0002_target_lost).
    IF pg_trigger_depth() > 1 AND NEW.target_lost_at IS NOT NULL THEN
        RETURN NULL;
    END IF;
    UPDATE feed SET behind = (feed.id IS DISTINCT FROM NEW.feed_id OR NEW.absent_since IS NOT NULL)
     WHERE feed.id IN (OLD.feed_id, NEW.feed_id)
       AND feed.behind <> (feed.id IS DISTINCT FROM NEW.feed_id OR NEW.absent_since IS NOT NULL);
    RETURN NULL;
END $$;

CREATE TRIGGER record_leaves_feeds AFTER UPDATE OF feed_id, absent_since ON record
    FOR EACH ROW WHEN (OLD.feed_id IS DISTINCT FROM NEW.feed_id
                       OR (OLD.absent_since IS NULL) <> (NEW.absent_since IS NULL))
    EXECUTE FUNCTION record_leaves_feeds();

CREATE INDEX feed_behind ON feed (test_id) WHERE behind;
CREATE INDEX product_tally_of_product ON product_tally (product_id);

-- The text that a search for Records looks through is no fact of its own. Django says of no generated column that it is
-- never null.
ALTER TABLE record ALTER COLUMN told SET NOT NULL;
CREATE OR REPLACE FUNCTION record_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record_history (record_id, actor, operation_id, step, before, after)
    SELECT NEW.id,
           coalesce(nullif(current_setting('tidegate.actor', true), ''), 'plain SQL by ' || session_user),
           nullif(current_setting('tidegate.operation', true), '')::bigint,
           nullif(current_setting('tidegate.step', true), '')::uuid,
           jsonb_object_agg(was.key, was.value),
           jsonb_object_agg(was.key, is_now.value)
      FROM jsonb_each(to_jsonb(OLD) - 'epoch' - 'changing_operation_id' - 'told') AS was
      JOIN jsonb_each(to_jsonb(NEW) - 'epoch' - 'changing_operation_id' - 'told') AS is_now ON is_now.key = was.key
     WHERE was.value IS DISTINCT FROM is_now.value
    HAVING count(*) > 0;
    RETURN NULL;
END $$;

-- What there is already.
INSERT INTO product_tally (product_id, severity, open, active, n)
SELECT engagement.product_id, tally.severity, tally.open, tally.active, sum(tally.n)
  FROM tally
  JOIN feed ON feed.id = tally.feed_id
  JOIN test ON test.id = feed.test_id
  JOIN engagement ON engagement.id = test.engagement_id
 GROUP BY 1, 2, 3, 4
HAVING sum(tally.n) <> 0;

UPDATE feed
   SET open_findings = coalesce((SELECT sum(tally.n) FROM tally WHERE tally.feed_id = feed.id AND tally.open), 0),
       first_finding = held.first,
       behind = record.feed_id IS DISTINCT FROM feed.id OR record.absent_since IS NOT NULL
  FROM feed AS same
  LEFT JOIN (SELECT feed_id, min(id) AS first FROM finding GROUP BY feed_id) AS held ON held.feed_id = same.id
  JOIN record ON record.id = same.record_id
 WHERE feed.id = same.id;

-- Words say of which Feed a finding is, so that a search within Feeds reads no rows of findings; those that were merged into
-- another Feed before this stood are looked at once more.
INSERT INTO words_due (feed_id, finding_id)
SELECT finding.feed_id, finding.id
  FROM finding_words
  JOIN finding ON finding.id = finding_words.finding_id
 WHERE finding.feed_id <> finding_words.feed_id;
