-- Foreign keys of what Operations leave behind; and history of Records without what only says who works on them now.
ALTER TABLE difference ADD CONSTRAINT difference_operation FOREIGN KEY (operation_id) REFERENCES operation ON DELETE CASCADE;
ALTER TABLE record ADD CONSTRAINT record_changing FOREIGN KEY (changing_operation_id) REFERENCES operation ON DELETE SET NULL;

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

-- Words go with their findings; by Feed, as findings do (0005).
CREATE OR REPLACE FUNCTION feed_takes_its_findings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM finding_words USING finding WHERE finding.feed_id = OLD.id AND finding_words.finding_id = finding.id;
    DELETE FROM words_due WHERE feed_id = OLD.id;
    DELETE FROM finding WHERE feed_id = OLD.id;
    RETURN NULL;
END $$;

-- Findings of before are found too.
INSERT INTO words_due (feed_id) SELECT id FROM feed;
