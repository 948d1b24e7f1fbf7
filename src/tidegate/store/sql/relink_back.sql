-- What the tool says of Records, back to what it was before a relink.
-- Parameters: facts (a JSON array of objects). Locks: the caller holds the Records. Rows: one a Record.
UPDATE record
   SET vendor_id = was.vendor_id, former_ids = was.former_ids, name = was.name, url = was.url, parent = was.parent,
       attributes = was.attributes, absent_since = was.absent_since, absent_operation_id = was.absent_operation_id
  FROM jsonb_to_recordset(%(facts)s::jsonb)
       AS was (id bigint, vendor_id text, former_ids text[], name text, url text, parent text, attributes jsonb,
               absent_since timestamptz, absent_operation_id bigint)
 WHERE record.id = was.id
