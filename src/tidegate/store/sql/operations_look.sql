-- Old Operations, the youngest of them first: what the last days made old comes before what was looked at already.
-- `forgettable` where neither its own facts nor its log and results speak for keeping it:
-- * Only a Sync changes findings, and each change is counted; so a finding or its journal can name one only if its counts
--   hold another word than those which change nothing. A word that is not known here speaks for keeping.
--   A change says itself what it did, and is somebody's word: it stays.
-- * The latest of a Connection stays, and so does an earlier one that tells more (health, last success, last complete
--   Discover): there must be a later one that tells as much.
-- Parameters: below (id), before (time), at_most. Locks: none. Rows: one an Operation.
SELECT old.id,
       old.type <> 'change' AND (old.type IN ('discover', 'deliver') OR NOT EXISTS (
           SELECT FROM jsonb_each_text(old.counts) AS said
            WHERE said.value <> '0'
              AND said.key NOT IN
                  ('seen', 'unchanged', 'repeated', 'quarantined', 'skipped', 'below', 'kept_open', 'records')))
       AND (old.preview OR EXISTS (
           SELECT FROM operation AS later
            WHERE later.connection_id = old.connection_id AND later.type = old.type AND later.id > old.id
              AND later.destination_id IS NOT DISTINCT FROM old.destination_id
              AND NOT later.preview AND later.ended_at IS NOT NULL
              AND array_position(ARRAY['cancelled', 'failed', 'partial', 'success'], later.status)
               >= array_position(ARRAY['cancelled', 'failed', 'partial', 'success'], old.status)
              AND (old.status = 'cancelled' OR NOT later.scope ? 'records')
              AND (later.complete OR NOT old.complete)))
       AND NOT EXISTS (SELECT FROM result WHERE result.operation_id = old.id)
       AND NOT EXISTS (SELECT FROM log_line WHERE log_line.operation_id = old.id) AS forgettable
  FROM operation AS old
 WHERE old.id < %(below)s
   AND old.ended_at < %(before)s::timestamptz
   AND old.status IN ('success', 'partial', 'failed', 'cancelled')
 ORDER BY old.id DESC
 LIMIT %(at_most)s
