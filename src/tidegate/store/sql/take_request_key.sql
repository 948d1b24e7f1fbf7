-- Takes a user's Idempotency-Key for a request, unless another has it.
-- Parameters: user, key_hash, request_hash.
-- Locks: waits for whoever takes the same key at this moment. Rows: one; none where the key is taken.
INSERT INTO answered_request (user_id, key_hash, request_hash)
VALUES (%(user)s, %(key_hash)s, %(request_hash)s)
    ON CONFLICT (user_id, key_hash) DO NOTHING
RETURNING id
