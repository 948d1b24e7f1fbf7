-- Takes in the vendor-equivalent products that were listed, as binary COPY.
-- Locks: none. Rows: one a VEP that was read.
COPY staged_vep FROM STDIN (FORMAT binary)
