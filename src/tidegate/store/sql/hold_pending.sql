-- The verdict is carried out: what this Operation saw gone is held for a person.
-- Parameters: feed, operation. Locks: the caller holds Operation, Record and Test. Rows: one a closing that is held.
UPDATE held SET standing = 'held'
 WHERE feed_id = %(feed)s AND latest_operation = %(operation)s AND standing = 'pending'
