-- Who acts in this transaction, as store/acting.py has said.
-- Parameters: none. Locks: none. Rows: one.
SELECT coalesce(current_setting('tidegate.actor', true), '') AS actor,
       nullif(current_setting('tidegate.operation', true), '')::bigint AS operation,
       nullif(current_setting('tidegate.step', true), '')::uuid AS step
