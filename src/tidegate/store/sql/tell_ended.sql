-- Tells who listens that an Operation has ended.
-- Parameters: operation, status. Locks: none. Rows: one.
SELECT pg_notify('tidegate_progress', jsonb_build_object('operation', %(operation)s::bigint, 'status', %(status)s::text)::text)
