-- Our Engagement of each Product.
-- Parameters: products. Locks: none. Rows: one a Product.
SELECT product_id, id FROM engagement WHERE product_id = ANY(%(products)s::bigint[]) AND kind = 'connectors'
