-- The one Engagement that is ours in each Product, where it is not there; marked by its kind, whatever its name.
-- Parameters: products. Locks: none. Rows: one an Engagement made.
INSERT INTO engagement (product_id, name, kind, created_at)
SELECT id, 'Global Connectors', 'connectors', now() FROM product WHERE id = ANY(%(products)s::bigint[])
    ON CONFLICT (product_id) WHERE kind = 'connectors' DO NOTHING
