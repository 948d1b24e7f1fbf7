-- Locks the next Connections whose trigger's secret does not begin as what the newest key sealed.
-- Parameters: newest (how that begins), after (a Connection's number), most.
-- Locks: these Connections, by id. Rows: one a Connection.
SELECT id, trigger_secret AS sealed
  FROM connection
 WHERE id > %(after)s
   AND trigger_secret IS NOT NULL
   AND substr(trigger_secret, 1, length(%(newest)s::bytea)) <> %(newest)s::bytea
 ORDER BY id
 LIMIT %(most)s
   FOR NO KEY UPDATE
