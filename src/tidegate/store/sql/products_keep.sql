-- Keeps Products from being deleted while Records are mapped to them; others may map to them too.
-- Parameters: products. Locks: these Products, by id, against deletion. Rows: one a Product that is there.
SELECT id FROM product WHERE id = ANY(%(products)s::bigint[]) ORDER BY id FOR KEY SHARE
