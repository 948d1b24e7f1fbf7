-- What rules/health.py looks at, for Discover and Sync of each living Connection: its schedule, and of its Operations
-- the newest, the newest that came to its end, the newest success and the newest that went well at least in part for
-- everything, and when the first planned run after that was due. A failure of a selection is judged only where its
-- cause concerns the whole Connection. Each Operation is found by the index operation_latest.
-- Parameters: connections (null for all), everywhere (causes), now (null for the database's). Locks: none. Rows: two a
-- Connection, by label.
SELECT connection.id AS connection_id, connection.label, asked.type, coalesce(%(now)s::timestamptz, now()) AS now,
       connection.paused_at, connection.paused_because, connection.secret_ends_at, connection.secret_ends_told_by,
       coalesce(schedule.kind, 'off') AS kind, schedule.next_at, schedule.retry_at, schedule.changed_at,
       last.id AS last_id, last.status AS last_status, last.cause AS last_cause, last.why AS last_why,
       last.requested_at AS last_requested_at, last.ended_at AS last_ended_at,
       coalesce(last.ended_at, last.started_at, greatest(last.requested_at, last.not_before)) AS last_at,
       judged.id AS judged_id, judged.status AS judged_status, judged.cause AS judged_cause, judged.why AS judged_why,
       judged.ended_at AS judged_at,
       success.id AS success_id, success.status AS success_status, success.why AS success_why,
       success.requested_at AS success_requested_at, success.ended_at AS success_at,
       good.id AS good_id, good.status AS good_status, good.ended_at AS good_at,
       due.at AS due_since
  FROM connection
 CROSS JOIN (VALUES ('discover'), ('sync')) AS asked (type)
  LEFT JOIN schedule ON schedule.connection_id = connection.id AND schedule.type = asked.type
  LEFT JOIN LATERAL (
       SELECT * FROM operation
        WHERE operation.connection_id = connection.id AND operation.type = asked.type AND NOT operation.preview
        ORDER BY operation.id DESC LIMIT 1
  ) AS last ON true
  LEFT JOIN LATERAL (
       SELECT * FROM operation
        WHERE operation.connection_id = connection.id AND operation.type = asked.type AND NOT operation.preview
          AND (operation.status IN ('success', 'partial') OR (operation.status = 'failed'
               AND (NOT operation.scope ? 'records' OR operation.cause = ANY (%(everywhere)s::text[]))))
        ORDER BY operation.id DESC LIMIT 1
  ) AS judged ON true
  LEFT JOIN LATERAL (
       SELECT * FROM operation
        WHERE operation.connection_id = connection.id AND operation.type = asked.type AND NOT operation.preview
          AND operation.status = 'success' AND NOT operation.scope ? 'records'
        ORDER BY operation.id DESC LIMIT 1
  ) AS success ON true
  LEFT JOIN LATERAL (
       SELECT * FROM operation
        WHERE operation.connection_id = connection.id AND operation.type = asked.type AND NOT operation.preview
          AND operation.status IN ('success', 'partial') AND NOT operation.scope ? 'records'
        ORDER BY operation.id DESC LIMIT 1
  ) AS good ON true
  LEFT JOIN LATERAL (
       SELECT greatest(operation.requested_at, operation.not_before) AS at FROM operation
        WHERE operation.connection_id = connection.id AND operation.type = asked.type AND NOT operation.preview
          AND operation.id > coalesce(good.id, 0) AND operation.trigger = 'scheduled' AND operation.cancelled_by = ''
        ORDER BY operation.id LIMIT 1
  ) AS due ON true
 WHERE connection.deleted_at IS NULL
   AND (%(connections)s::bigint[] IS NULL OR connection.id = ANY (%(connections)s::bigint[]))
 ORDER BY connection.label, connection.id, asked.type
