-- Every change of a Record's facts, by whomever: only what changed, before and after. Who and why come from the
-- settings that store/acting.py makes for the transaction; plain SQL is called so.
-- By row: one statement over transition tables is planned for the first change of a session and kept, and a plan made
-- for one Record takes minutes for ten thousand (measured).
CREATE FUNCTION record_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record_history (record_id, actor, operation_id, step, before, after)
    SELECT NEW.id,
           coalesce(nullif(current_setting('tidegate.actor', true), ''), 'plain SQL by ' || session_user),
           nullif(current_setting('tidegate.operation', true), '')::bigint,
           nullif(current_setting('tidegate.step', true), '')::uuid,
           jsonb_object_agg(was.key, was.value),
           jsonb_object_agg(was.key, is_now.value)
      FROM jsonb_each(to_jsonb(OLD) - 'epoch') AS was
      JOIN jsonb_each(to_jsonb(NEW) - 'epoch') AS is_now ON is_now.key = was.key
     WHERE was.value IS DISTINCT FROM is_now.value
    HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE TRIGGER record_history AFTER UPDATE ON record
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION record_keep_history();
