-- Where the counts of a part do not add up nothing of it closes, nor is it held.
-- Parameters: parts. Locks: none. Rows: one a closing that is not believed.
DELETE FROM compared WHERE part = ANY(%(parts)s::smallint[]) AND kind IN (5, 6, 7, 11, 13, 14)
