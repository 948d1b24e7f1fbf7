-- Takes in what was spooled, as binary COPY.
-- Locks: none. Rows: one a row that was read.
COPY staged FROM STDIN (FORMAT binary)
