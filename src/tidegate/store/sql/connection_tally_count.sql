-- How many findings came through some Connections, or through all: from what is kept a Connection, a handful of rows each.
-- Parameters: severity, active, open, connection, tool (null: all). Locks: none. Rows: one.
SELECT coalesce(sum(connection_tally.n), 0)::bigint AS n
  FROM connection_tally
 WHERE (%(severity)s::int IS NULL OR severity = %(severity)s::int)
   AND (%(active)s::bool IS NULL OR active = %(active)s::bool)
   AND (%(open)s::bool IS NULL OR open = %(open)s::bool)
   AND (%(connection)s::bigint IS NULL OR connection_id = %(connection)s::bigint)
   AND (%(tool)s::text IS NULL OR connection_id IN (SELECT id FROM connection WHERE tool = %(tool)s::text))
