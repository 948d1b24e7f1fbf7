-- Forgets hosts that nobody has asked since yesterday: whoever asks again begins anew.
-- Parameters: now. Locks: their rows. Rows: those forgotten.
DELETE FROM host_pace WHERE next_at < %(now)s::timestamptz - interval '1 day'
