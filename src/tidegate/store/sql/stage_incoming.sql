-- The new texts of what changed, as binary COPY.
-- Locks: none. Rows: one a change.
COPY incoming FROM STDIN (FORMAT binary)
