-- What people decided about the findings of one Feed now holds for the same ones of the other.
-- Parameters: source, destination. Locks: the caller holds the Record. Rows: one a decision.
INSERT INTO decision (feed_id, family, key_hash, field, value, until, by, at)
SELECT %(destination)s, family, key_hash, field, value, until, by, at FROM decision WHERE feed_id = %(source)s
    ON CONFLICT (feed_id, family, key_hash, field) DO UPDATE
   SET value = excluded.value, until = excluded.until, by = excluded.by, at = excluded.at
