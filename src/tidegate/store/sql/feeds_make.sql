-- The Feed of each Record in its Test, where it is not there; an earlier one is taken up again.
-- Parameters: records and tests, pairwise. Locks: the caller holds the Records. Rows: one a Feed made.
INSERT INTO feed (record_id, test_id, created_at)
SELECT target.record_id, target.test_id, now()
  FROM unnest(%(records)s::bigint[], %(tests)s::bigint[]) AS target (record_id, test_id)
    ON CONFLICT (record_id, test_id) DO NOTHING
