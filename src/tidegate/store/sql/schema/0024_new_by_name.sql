-- Pages of New Records by name: the inbox, and what is searched for in it. They are few beside those that are mapped, and a
-- walk along the names of all meets four for each of them.
CREATE INDEX record_new_by_name ON record (left(name, 300), id) WHERE deleted_at IS NULL AND decision = 'undecided';
