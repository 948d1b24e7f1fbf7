-- Undoing a Sync: closings that it began to hold wait no longer; where it held one that a person had undone before, that is
-- remembered on. What a person keeps open stays so, and what waits since an earlier Sync goes on waiting.
-- Parameters: feed, sync. Locks: the caller holds the Record. Rows: one, with how many waited.
WITH remembered AS (
    UPDATE held SET standing = 'pending'
     WHERE feed_id = %(feed)s AND since_operation = %(sync)s AND standing = 'held' AND undone
    RETURNING finding_id
), gone AS (
    DELETE FROM held
     WHERE feed_id = %(feed)s AND since_operation = %(sync)s AND standing <> 'kept open' AND NOT undone
    RETURNING finding_id
)
SELECT (SELECT count(*) FROM remembered) + (SELECT count(*) FROM gone) AS let_go
