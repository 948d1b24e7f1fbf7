-- What a search for Records looks through, in a table of its own: of a hundred thousand Records it is a fifth of what a
-- Record's own rows are, and each row is read whole to reach its last column. Kept by whoever changes a Record, plain SQL
-- included. In small letters as the database's own language has them: a vendor id is compared byte by byte, and knows none
-- but a to z.
ALTER TABLE record_told ADD CONSTRAINT record_told_record FOREIGN KEY (record_id) REFERENCES record ON DELETE CASCADE;

CREATE FUNCTION record_told_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record_told (record_id, text)
    SELECT id, lower((name || E'\n' || parent || E'\n' || vendor_id) COLLATE "default") FROM new_rows;
    RETURN NULL;
END $$;

CREATE FUNCTION record_told_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE record_told SET text = lower((NEW.name || E'\n' || NEW.parent || E'\n' || NEW.vendor_id) COLLATE "default")
     WHERE record_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER record_told_inserted AFTER INSERT ON record
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION record_told_inserted();
CREATE TRIGGER record_told_updated AFTER UPDATE OF name, parent, vendor_id ON record
    FOR EACH ROW WHEN ((OLD.name, OLD.parent, OLD.vendor_id) IS DISTINCT FROM (NEW.name, NEW.parent, NEW.vendor_id))
    EXECUTE FUNCTION record_told_updated();

CREATE OR REPLACE FUNCTION record_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record_history (record_id, actor, operation_id, step, before, after)
    SELECT NEW.id,
           coalesce(nullif(current_setting('tidegate.actor', true), ''), 'plain SQL by ' || session_user),
           nullif(current_setting('tidegate.operation', true), '')::bigint,
           nullif(current_setting('tidegate.step', true), '')::uuid,
           jsonb_object_agg(was.key, was.value),
           jsonb_object_agg(was.key, is_now.value)
      FROM jsonb_each(to_jsonb(OLD) - 'epoch' - 'changing_operation_id') AS was
      JOIN jsonb_each(to_jsonb(NEW) - 'epoch' - 'changing_operation_id') AS is_now ON is_now.key = was.key
     WHERE was.value IS DISTINCT FROM is_now.value
    HAVING count(*) > 0;
    RETURN NULL;
END $$;

INSERT INTO record_told (record_id, text)
SELECT id, lower((name || E'\n' || parent || E'\n' || vendor_id) COLLATE "default") FROM record ORDER BY id;
