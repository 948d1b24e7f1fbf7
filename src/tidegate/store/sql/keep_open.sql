-- A person keeps these findings open although the vendor no longer shows them, until it has shown them once more.
-- Parameters: operation, feeds, actor. Locks: the caller holds the Records of these Feeds. Rows: one a finding.
UPDATE held
   SET standing = 'kept open', said_by = %(actor)s, said_at = now()
 WHERE feed_id = ANY (%(feeds)s::bigint[]) AND latest_operation = %(operation)s AND standing = 'held'
