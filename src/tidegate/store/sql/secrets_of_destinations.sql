-- Locks the next Destinations whose secrets do not begin as what the newest key sealed.
-- Parameters: newest (how that begins), after (a Destination's number), most.
-- Locks: these Destinations, by id. Rows: one a Destination.
SELECT id, secrets AS sealed
  FROM destination
 WHERE id > %(after)s AND substr(secrets, 1, length(%(newest)s::bytea)) <> %(newest)s::bytea
 ORDER BY id
 LIMIT %(most)s
   FOR NO KEY UPDATE
