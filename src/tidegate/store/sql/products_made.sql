-- The Products that were made at these moments.
-- Parameters: made_at (times of transactions). Locks: none. Rows: one a Product, by id.
SELECT id FROM product WHERE created_at = ANY(%(made_at)s::timestamptz[]) ORDER BY id
