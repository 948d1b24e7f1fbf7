-- Whether somebody still beats for an Operation. A lease that ends later than its length allows was written by a clock
-- that has jumped back since: it is believed no longer than any other.
-- Parameters: operation. Locks: none. Rows: one where it is alive.
SELECT operation_id FROM lease
 WHERE operation_id = %(operation)s AND NOT handed_back
   AND until > now() AND until <= now() + make_interval(secs => seconds + 5)
