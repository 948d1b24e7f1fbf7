-- Waits until nobody is about to store a secret, and keeps it so until the transaction ends: whoever seals has locked a
-- row of these tables, or written one, before the key is read. What only reads goes on. In a block, since LOCK alone may
-- not stand outside of a transaction.
-- Parameters: none. Locks: these tables, against every writer. Rows: none.
DO $hold$ BEGIN LOCK TABLE connection, route, destination, mfa_authenticator IN EXCLUSIVE MODE; END $hold$
