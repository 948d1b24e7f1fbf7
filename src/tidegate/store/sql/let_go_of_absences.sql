-- Held absences that are over: the VEP was seen again, or its Record is deleted or absent by now.
-- Parameters: connection. Locks: the caller holds the Records. Rows: few.
DELETE FROM held_absence
 USING record
 WHERE held_absence.connection_id = %(connection)s AND record.id = held_absence.record_id
   AND (record.deleted_at IS NOT NULL OR record.absent_since IS NOT NULL
        OR EXISTS (SELECT FROM staged_vep WHERE staged_vep.vendor_id = record.vendor_id))
