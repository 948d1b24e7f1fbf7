-- Mapped Records that became Stale since a moment and of which that was not told. What was told is known by number and
-- time of loss, not by a time alone: a deletion that began before the last look may have ended after it.
-- Parameters: since, names. Locks: none. Rows: one a Connection.
WITH told AS (
    SELECT number.value::bigint AS record_id, max((outbox.facts ->> 'lost')::timestamptz) AS lost
      FROM outbox
     CROSS JOIN jsonb_array_elements_text(outbox.facts -> 'ids') AS number
     WHERE outbox.kind = 'records' AND outbox.facts ? 'stale' AND outbox.at >= %(since)s::timestamptz
     GROUP BY 1
)
SELECT record.connection_id, count(*) AS stale, array_agg(record.id ORDER BY record.id) AS ids,
       (array_agg(record.name ORDER BY record.name, record.id))[1:%(names)s] AS names, max(record.target_lost_at) AS lost
  FROM record
  JOIN connection ON connection.id = record.connection_id AND connection.deleted_at IS NULL
  LEFT JOIN told ON told.record_id = record.id
 WHERE record.target_lost_at >= %(since)s
   AND record.decision = 'mapped'
   AND record.deleted_at IS NULL
   AND (told.lost IS NULL OR told.lost < record.target_lost_at)
 GROUP BY record.connection_id
 ORDER BY record.connection_id
