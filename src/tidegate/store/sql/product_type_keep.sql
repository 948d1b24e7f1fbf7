-- Keeps a Product Type from being deleted while Products are put into it; others may put some there too.
-- Parameters: product_type. Locks: this Product Type, against deletion. Rows: one where it is there.
SELECT id FROM product_type WHERE id = %(product_type)s::bigint FOR KEY SHARE
