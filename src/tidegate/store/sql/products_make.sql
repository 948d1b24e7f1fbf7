-- Makes Products. A name that is taken, also just now by somebody else, gives no row.
-- The time is the transaction's: an undo knows by it which Products a step made.
-- Parameters: names, product_type, origin, tags. Locks: none. Rows: one a Product made.
INSERT INTO product (name, product_type_id, origin, tags, created_at)
SELECT name, %(product_type)s, %(origin)s, %(tags)s::text[], now() FROM unnest(%(names)s::text[]) AS name
    ON CONFLICT (name) DO NOTHING
RETURNING id, name
