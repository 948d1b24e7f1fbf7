-- One side of a relink: the Record stands for another VEP from now on. The one that goes on takes over all that the tool
-- says and stays mapped, by a person now; the one that gives its VEP away is deleted.
-- Parameters: record, vendor_id, former (its ids of before), likes (the id of the Record whose vendor data it takes, or
-- null), deleted (boolean), actor, how. Locks: the caller holds both Records. Rows: one.
UPDATE record
   SET vendor_id = %(vendor_id)s::text,
       former_ids = %(former)s::text[],
       name = coalesce(other.name, record.name),
       url = CASE WHEN other.id IS NULL THEN record.url ELSE other.url END,
       parent = coalesce(other.parent, record.parent),
       attributes = coalesce(other.attributes, record.attributes),
       absent_since = CASE WHEN other.id IS NULL THEN record.absent_since END,
       absent_operation_id = CASE WHEN other.id IS NULL THEN record.absent_operation_id END,
       deleted_at = CASE WHEN %(deleted)s::boolean THEN now() ELSE record.deleted_at END,
       finalized_at = CASE WHEN other.id IS NULL THEN record.finalized_at ELSE now() END,
       finalized_by = CASE WHEN other.id IS NULL THEN record.finalized_by ELSE %(actor)s::text END,
       finalized_how = CASE WHEN other.id IS NULL THEN record.finalized_how ELSE %(how)s::text END,
       epoch = record.epoch + 1
  FROM (SELECT 1) AS one
  LEFT JOIN record AS other ON other.id = %(likes)s::bigint
 WHERE record.id = %(record)s::bigint
