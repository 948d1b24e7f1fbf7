-- Says that this transaction may store second factors: from here on no key is taken away before it ends, and what it
-- reads of them is sealed with a key that stays. In a block, since LOCK alone may not stand outside of a transaction.
-- Parameters: none. Locks: the table, as every writer does. Rows: none.
DO $hold$ BEGIN LOCK TABLE mfa_authenticator IN ROW EXCLUSIVE MODE; END $hold$
