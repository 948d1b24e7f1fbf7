-- Deletes these results where they are old and a later Sync has a result for their Record: the latest of each Record is
-- what its badge is made of. Nobody reads an old preview.
-- Parameters: results, before (time). Locks: these results. Rows: one a result.
DELETE FROM result
 USING operation
 WHERE result.id = ANY(%(results)s::bigint[])
   AND operation.id = result.operation_id AND operation.ended_at < %(before)s::timestamptz
   AND (operation.preview OR EXISTS (
           SELECT FROM result AS later
             JOIN operation AS later_operation ON later_operation.id = later.operation_id
            WHERE later.record_id = result.record_id AND later.family = ''
              AND later.operation_id > result.operation_id
              AND later_operation.type = 'sync' AND NOT later_operation.preview))
