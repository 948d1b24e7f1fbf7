-- Deletes days of charts that are too old, of some Records. The last of them stays where no later row says how many are
-- open from the first kept day on: a day without a row is like the day before.
-- Parameters: after (Record), at_most (Records), day (the first kept). Locks: these rows. Rows: one a day.
DELETE FROM open_day
 USING open_day AS later
 WHERE open_day.record_id > %(after)s AND open_day.record_id <= %(after)s::bigint + %(at_most)s::bigint
   AND open_day.day < %(day)s
   AND later.record_id = open_day.record_id AND later.day > open_day.day AND later.day <= %(day)s
