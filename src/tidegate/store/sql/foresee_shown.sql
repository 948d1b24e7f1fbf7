-- What a Sync would create, change and open again, field by field, for a preview. A new one is known by where its texts
-- lie in the spool.
-- Parameters: operation, record. Locks: none. Rows: one a difference that is shown.
INSERT INTO difference (operation_id, kind, record_id, finding_id, family, branch, key, title, severity, because, before, after)
SELECT %(operation)s,
       CASE compared.kind WHEN 1 THEN 'created' WHEN 2 THEN 'changed' ELSE 'reopened' END,
       %(record)s, finding.id, staged_part.family, staged_part.branch, incoming.key, incoming.title, compared.severity, '',
       coalesce(differs.before, '{}'), coalesce(differs.after, jsonb_build_object('fields', incoming.fields))
  FROM compared
  JOIN staged_part USING (part)
  JOIN incoming ON incoming.finding_id = coalesce(compared.finding_id, -1 - compared.position)
  LEFT JOIN finding ON finding.id = compared.finding_id
  LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(field, was) AS before, jsonb_object_agg(field, becomes) AS after
      FROM (
        SELECT * FROM (VALUES
            ('closed_because', to_jsonb(finding.closed_because), 'null'::jsonb),
            ('severity_vendor', to_jsonb(finding.severity_vendor), to_jsonb(compared.severity_vendor)),
            ('severity', to_jsonb(finding.severity), to_jsonb(compared.severity)),
            ('vendor_verdict', to_jsonb(finding.vendor_verdict), to_jsonb(compared.verdict)),
            ('active', to_jsonb(finding.active), to_jsonb(compared.active)),
            ('title', to_jsonb(finding.title), to_jsonb(incoming.title))
        ) AS column_of (field, was, becomes)
         WHERE coalesce(was, 'null') <> becomes
        UNION ALL
        SELECT 'fields', jsonb_object_agg(field, was), jsonb_object_agg(field, becomes)
          FROM (
            SELECT coalesce(was.key, becomes.key) AS field, was.value AS was, becomes.value AS becomes
              FROM jsonb_each(finding.fields) AS was
              FULL JOIN jsonb_each(incoming.fields) AS becomes ON becomes.key = was.key
             WHERE was.value IS DISTINCT FROM becomes.value
          ) AS told
        HAVING count(*) > 0
      ) AS each
  ) AS differs ON finding.id IS NOT NULL
 WHERE compared.kind IN (1, 2, 4)
