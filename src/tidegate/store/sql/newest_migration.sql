-- The last migration of ours that the database has seen.
-- Parameters: none. Locks: none. Rows: one.
SELECT coalesce(max(name), '') AS name FROM django_migrations WHERE app = 'store'
