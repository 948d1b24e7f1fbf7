-- Locks the next Connections whose secrets do not begin as what the newest key sealed.
-- Parameters: newest (how that begins), after (a Connection's number), most.
-- Locks: these Connections, by id. Rows: one a Connection.
SELECT id, secrets AS sealed
  FROM connection
 WHERE id > %(after)s AND secrets IS NOT NULL AND substr(secrets, 1, length(%(newest)s::bytea)) <> %(newest)s::bytea
 ORDER BY id
 LIMIT %(most)s
   FOR NO KEY UPDATE
