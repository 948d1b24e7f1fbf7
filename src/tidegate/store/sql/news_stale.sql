-- Mapped Records that became Stale since a moment and of which that was not told: what they wrote to was deleted here, or
-- what that is delivered into was deleted at a Destination. What was told is known by number and time of loss, not by a
-- time alone: a deletion that began before the last look may have ended after it.
-- Parameters: since, names. Locks: none. Rows: one a Connection; `away` says how many of them are lost at a Destination.
WITH told AS (
    SELECT number.value::bigint AS record_id, max((outbox.facts ->> 'lost')::timestamptz) AS lost
      FROM outbox
     CROSS JOIN jsonb_array_elements_text(outbox.facts -> 'ids') AS number
     WHERE outbox.kind = 'records' AND outbox.facts ? 'stale' AND outbox.at >= %(since)s::timestamptz
     GROUP BY 1
), lost AS (
    SELECT id AS record_id, target_lost_at AS at, false AS away FROM record WHERE target_lost_at >= %(since)s
     UNION ALL
    SELECT record.id, max(there.lost_at), true
      FROM delivered_test AS there
      JOIN feed ON feed.test_id = there.test_id
      JOIN record ON record.feed_id = feed.id
     WHERE there.lost_at >= %(since)s
     GROUP BY record.id
)
SELECT record.connection_id, count(*) AS stale, count(*) FILTER (WHERE lost.away) AS away,
       array_agg(record.id ORDER BY record.id) AS ids,
       (array_agg(record.name ORDER BY record.name, record.id))[1:%(names)s] AS names, max(lost.at) AS lost
  FROM lost
  JOIN record ON record.id = lost.record_id
  JOIN connection ON connection.id = record.connection_id AND connection.deleted_at IS NULL
  LEFT JOIN told ON told.record_id = record.id
 WHERE record.decision = 'mapped'
   AND record.deleted_at IS NULL
   AND (told.lost IS NULL OR told.lost < lost.at)
 GROUP BY record.connection_id
 ORDER BY record.connection_id
