-- The Test of a Connection in our Engagement of a Product, named by the Connection's label, where it is not there.
-- Parameters: engagements and connections, pairwise. Locks: none. Rows: one a Test made.
INSERT INTO test (engagement_id, connection_id, name, created_at)
SELECT target.engagement_id, connection.id, connection.label, now()
  FROM unnest(%(engagements)s::bigint[], %(connections)s::bigint[]) AS target (engagement_id, connection_id)
  JOIN connection ON connection.id = target.connection_id
    ON CONFLICT (engagement_id, connection_id) DO NOTHING
