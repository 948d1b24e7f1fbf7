-- The words of a text, for search: small letters, whatever stands between ASCII punctuation. No parser guesses here what
-- is a number, a path or an address: the beginning of a word finds it, always. Callers cut what they give to 500
-- characters a word, so that no word is longer than a lexeme may be.
CREATE FUNCTION words_of(text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(lower($1), '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', ' ', 'g')::tsvector;

-- Few Records are absent, few Families skipped: who asks for what no Sync looks at any more need not look at all.
CREATE INDEX record_absent ON record (connection_id, feed_id) WHERE absent_since IS NOT NULL;
CREATE INDEX part_skipped ON part (feed_id) WHERE last_outcome = 'skipped';

-- Pages of Records by name, of all and of one Connection; and how many of them are in each state, without reading them.
-- By the beginning of the name: a vendor may send one of a megabyte, and an index holds no such row.
CREATE INDEX record_by_name ON record (left(name, 300), id) WHERE deleted_at IS NULL;
CREATE INDEX record_of_connection_by_name ON record (connection_id, left(name, 300), id) WHERE deleted_at IS NULL;
CREATE INDEX record_states ON record (connection_id, decision) INCLUDE (absent_since, target_lost_at) WHERE deleted_at IS NULL;

-- What came through each Connection, kept by its tallies: 300,000 of them are too many to add up for a page. A Feed that
-- goes takes its share away before its tallies go, for then nobody knows any more whose they were.
ALTER TABLE connection_tally ADD CONSTRAINT connection_tally_connection
    FOREIGN KEY (connection_id) REFERENCES connection ON DELETE CASCADE;

CREATE FUNCTION connection_tally_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO connection_tally (connection_id, severity, open, active, n)
    SELECT record.connection_id, new_rows.severity, new_rows.open, new_rows.active, sum(new_rows.n)
      FROM new_rows JOIN feed ON feed.id = new_rows.feed_id JOIN record ON record.id = feed.record_id
     GROUP BY record.connection_id, new_rows.severity, new_rows.open, new_rows.active;
    RETURN NULL;
END $$;

CREATE FUNCTION connection_tally_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO connection_tally (connection_id, severity, open, active, n)
    SELECT record.connection_id, moved.severity, moved.open, moved.active, sum(moved.n)
      FROM (
        SELECT feed_id, severity, open, active, n FROM new_rows
        UNION ALL
        SELECT feed_id, severity, open, active, -n FROM old_rows
      ) AS moved
      JOIN feed ON feed.id = moved.feed_id JOIN record ON record.id = feed.record_id
     GROUP BY record.connection_id, moved.severity, moved.open, moved.active
    HAVING sum(moved.n) <> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION connection_tally_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO connection_tally (connection_id, severity, open, active, n)
    SELECT record.connection_id, tally.severity, tally.open, tally.active, -sum(tally.n)
      FROM tally JOIN record ON record.id = OLD.record_id
     WHERE tally.feed_id = OLD.id
     GROUP BY record.connection_id, tally.severity, tally.open, tally.active
    HAVING sum(tally.n) <> 0;
    RETURN OLD;
END $$;

CREATE TRIGGER tally_of_connection_inserted AFTER INSERT ON tally
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION connection_tally_inserted();
CREATE TRIGGER tally_of_connection_updated AFTER UPDATE ON tally
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION connection_tally_updated();
CREATE TRIGGER feed_leaves_connection_tally BEFORE DELETE ON feed
    FOR EACH ROW EXECUTE FUNCTION connection_tally_left();

INSERT INTO connection_tally (connection_id, severity, open, active, n)
SELECT record.connection_id, tally.severity, tally.open, tally.active, sum(tally.n)
  FROM tally JOIN feed ON feed.id = tally.feed_id JOIN record ON record.id = feed.record_id
 GROUP BY record.connection_id, tally.severity, tally.open, tally.active;
