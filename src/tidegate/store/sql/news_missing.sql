-- Mapped Records that became Missing by this Discover, with the first names.
-- Parameters: operation, connection, names. Locks: none. Rows: one.
SELECT count(*) AS missing, coalesce((array_agg(name ORDER BY name, id))[1:%(names)s], '{}') AS names
  FROM record
 WHERE connection_id = %(connection)s
   AND absent_operation_id = %(operation)s
   AND decision = 'mapped'
   AND deleted_at IS NULL
