-- How the Discovers and Syncs of each day went, Connection by Connection. All Operations are passed once: an index of
-- Connections would fetch each of them by itself.
-- Parameters: connections, first (the beginning of a day, in UTC). Locks: none. Rows: one a Connection and day on which
-- something ran: how many days after the first, and how many ended in each way.
SELECT connection_id, (requested_at AT TIME ZONE 'UTC')::date - (%(first)s::timestamptz AT TIME ZONE 'UTC')::date AS day,
       count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'partial') AS partial,
       count(*) FILTER (WHERE status = 'success') AS success
  FROM operation
 WHERE connection_id IN (SELECT unnest(%(connections)s::bigint[])) AND NOT preview AND type IN ('discover', 'sync')
   AND status IN ('failed', 'partial', 'success') AND requested_at >= %(first)s::timestamptz
 GROUP BY 1, 2
