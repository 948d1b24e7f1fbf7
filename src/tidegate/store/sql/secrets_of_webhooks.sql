-- Locks the next routes whose signing secret does not begin as what the newest key sealed.
-- Parameters: newest (how that begins), after (a route's number), most. Locks: these routes, by id. Rows: one a route.
SELECT id, signing_secret AS sealed
  FROM route
 WHERE id > %(after)s
   AND signing_secret IS NOT NULL
   AND substr(signing_secret, 1, length(%(newest)s::bytea)) <> %(newest)s::bytea
 ORDER BY id
 LIMIT %(most)s
   FOR NO KEY UPDATE
