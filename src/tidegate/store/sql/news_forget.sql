-- Deletes old news with their deliveries, the eldest first. The latest of each kind stays for its Connection: whether
-- people were told already is read there.
-- Parameters: before (time), at_most. Locks: these news. Rows: one a piece of news.
DELETE FROM outbox
 WHERE id IN (
    SELECT old.id
      FROM outbox AS old
     WHERE old.at < %(before)s::timestamptz
       AND EXISTS (SELECT FROM outbox AS later
                    WHERE later.connection_id = old.connection_id AND later.kind = old.kind AND later.id > old.id)
     ORDER BY old.id
     LIMIT %(at_most)s)
