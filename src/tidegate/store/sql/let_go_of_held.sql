-- Closings that wait no longer: the vendor has shown the finding again, or it is closed by now.
-- Locks: the caller holds the Record. Rows: few.
DELETE FROM held USING compared WHERE compared.let_go AND held.finding_id = compared.finding_id
