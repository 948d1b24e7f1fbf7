-- Takes in what one walk brought for many Records, as binary COPY.
-- Locks: none. Rows: one a row that was read.
COPY walked FROM STDIN (FORMAT binary)
