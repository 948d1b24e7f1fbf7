-- Whoever reads these Feeds next reads all of it: findings are on their way, and which state lies here is not known.
-- Parameters: feeds. Locks: the caller holds their Records. Rows: one a Family and Branch.
UPDATE part SET mark = '' WHERE feed_id = ANY(%(feeds)s::bigint[]) AND mark <> ''
