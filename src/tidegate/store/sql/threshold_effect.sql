-- What another threshold would do, before it is saved. closes: the open findings below it where Records of the Connection
-- write to now, by the severity in force; exact. may_bring: at most so many the next Sync may bring, of Records that can
-- sync: what the last reads found below today's threshold, and what that closed then and since, as far as it would no
-- longer be below. How bad those are that are not stored is not known, nor whether the tool still has them.
-- Parameters: connection, minimum (rank). Locks: none. Rows: one.
SELECT coalesce((
           SELECT sum(tally.n)
             FROM record
             JOIN tally ON tally.feed_id = record.feed_id
            WHERE record.connection_id = connection.id
              AND tally.open AND tally.severity < %(minimum)s AND tally.severity <> 2
       ), 0)::bigint AS closes,
       CASE WHEN connection.minimum_severity <= %(minimum)s THEN 0 ELSE (
           SELECT coalesce(sum(part.below), 0) + coalesce(sum(closed.since), 0)
             FROM record
             JOIN part ON part.feed_id = record.feed_id
            CROSS JOIN LATERAL (
                SELECT count(*) AS since
                  FROM finding
                 WHERE finding.feed_id = part.feed_id AND NOT finding.active
                   AND finding.severity >= %(minimum)s
                   AND finding.family = part.family AND finding.branch = part.branch
                   AND finding.closed_because = 'threshold'
                   AND (part.proven_at IS NULL OR finding.closed_at > part.proven_at
                        OR finding.closed_operation = part.last_operation_id)
            ) AS closed
            WHERE record.connection_id = connection.id AND record.decision = 'mapped' AND record.absent_since IS NULL
       ) END::bigint AS may_bring
  FROM connection
 WHERE connection.id = %(connection)s
