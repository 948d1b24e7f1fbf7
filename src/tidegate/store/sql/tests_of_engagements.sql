-- The Tests of Connections in Engagements.
-- Parameters: engagements. Locks: none. Rows: one a Test.
SELECT engagement_id, connection_id, id
  FROM test
 WHERE engagement_id = ANY(%(engagements)s::bigint[]) AND connection_id IS NOT NULL
