-- The words of these findings, as they are now: what people search for, not the prose of a description. Those that went
-- meanwhile have none. Texts are cut: no word may be longer than 2,046 bytes, and nobody types so much.
-- Parameters: findings. Locks: these findings' words. Rows: one a finding that is there.
INSERT INTO finding_words (finding_id, feed_id, words)
SELECT id, feed_id,
       words_of(concat_ws(' ', left(title, 500), left(key, 500), left(fields ->> 'rule', 500), left(fields ->> 'ids', 500),
                          left(fields ->> 'component', 500), left(fields ->> 'version', 100), right(fields ->> 'path', 500),
                          left(fields ->> 'endpoint', 500), left(fields ->> 'image', 500), left(fields ->> 'tags', 500),
                          (SELECT string_agg('cwe-' || number || ' cwe' || number, ' ')
                             FROM jsonb_array_elements_text(fields -> 'cwe') AS number
                            WHERE jsonb_typeof(fields -> 'cwe') = 'array')))
  FROM finding
 WHERE id = ANY (%(findings)s::bigint[])
 ORDER BY id
    ON CONFLICT (finding_id) DO UPDATE SET feed_id = excluded.feed_id, words = excluded.words
