-- Keeps the Test that a Feed writes to from being deleted until the transaction ends.
-- Parameters: feed. Locks: the Test, shared. Rows: one.
SELECT feed.id FROM feed JOIN test ON test.id = feed.test_id WHERE feed.id = %(feed)s FOR SHARE OF test
