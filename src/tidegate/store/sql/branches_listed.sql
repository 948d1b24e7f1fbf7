-- When Branches of a Feed were last there, by the tool's list of them. Of those that a whole list lacks the days begin to
-- count with the last complete read, or now where there is none.
-- Parameters: feed, branches, complete. Locks: the caller holds the Record. Rows: one a Family and Branch.
UPDATE part
   SET listed_at = CASE WHEN branch = ANY(%(branches)s::text[]) THEN now() ELSE coalesce(proven_at, now()) END
 WHERE feed_id = %(feed)s
   AND (branch = ANY(%(branches)s::text[]) OR (%(complete)s AND listed_at IS NULL AND branch <> ''))
