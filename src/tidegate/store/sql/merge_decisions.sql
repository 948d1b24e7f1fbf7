-- What people decided about findings of one Feed now holds for the same ones of the other.
-- Parameters: source, destination; sources (the findings). Locks: the caller holds the Record. Rows: one a decision.
WITH going AS (
    SELECT DISTINCT finding.family, finding.key_hash
      FROM unnest(%(sources)s::bigint[]) AS these (id)
      JOIN finding ON finding.id = these.id
)
INSERT INTO decision (feed_id, family, key_hash, field, value, until, by, at)
SELECT %(destination)s, family, key_hash, field, value, until, by, at
  FROM decision
  JOIN going USING (family, key_hash)
 WHERE feed_id = %(source)s
    ON CONFLICT (feed_id, family, key_hash, field) DO UPDATE
   SET value = excluded.value, until = excluded.until, by = excluded.by, at = excluded.at
