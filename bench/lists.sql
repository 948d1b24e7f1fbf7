-- The house of bench/lists.py, set by set; the last statement makes findings, and runs once a chunk.
INSERT INTO product_type (name) SELECT 'Type ' || n FROM generate_series(1, 20) AS n;
INSERT INTO product (product_type_id, name, origin, tags)
SELECT 1 + n %% 20, (ARRAY['Shop', 'Billing', 'Ledger', 'Portal', 'Mobile app', 'Gateway', 'Search'])[1 + n %% 7]
       || ' of team ' || n, 'auto-map', ARRAY['team-' || n %% 50]
  FROM generate_series(1, %(products)s) AS n;
INSERT INTO engagement (product_id, name, kind) SELECT id, 'Global Connectors', 'connectors' FROM product ORDER BY id;
INSERT INTO connection (tool, label, created_by, settings)
SELECT (ARRAY['burpsuite', 'report_folder'])[1 + n %% 2], 'Connection ' || n, 'bench', '{}'
  FROM generate_series(1, %(connections)s) AS n;
INSERT INTO schedule (connection_id, type, kind, at)
SELECT id, type, 'daily', '01:00' FROM connection CROSS JOIN (VALUES ('discover'), ('sync')) AS asked (type);
INSERT INTO operation (type, connection_id, trigger, actor, status, why, counts, attempt, requested_at, started_at, ended_at)
SELECT CASE n %% 10 WHEN 0 THEN 'discover' ELSE 'sync' END, 1 + n %% %(connections)s, 'scheduled', 'tidegate',
       (ARRAY['success', 'success', 'success', 'success', 'success', 'partial', 'failed'])[1 + n %% 7],
       CASE n %% 7 WHEN 6 THEN 'The tool did not answer.' ELSE '' END,
       jsonb_build_object('seen', n, 'created', n %% 100), 1, at, at + interval '2 seconds', at + interval '1 minute'
  FROM generate_series(1, %(operations)s) AS n
 CROSS JOIN LATERAL (SELECT now() - (%(operations)s - n) * interval '10 minutes' AS at) AS moment;
INSERT INTO log_line (operation_id, n, level, text)
SELECT operation.id, n, 'info', 'Read page ' || n
  FROM operation CROSS JOIN generate_series(1, 5) AS n;
INSERT INTO test (engagement_id, connection_id, name)
SELECT engagement.id, connection.id, connection.label FROM engagement CROSS JOIN connection
 WHERE (engagement.id + connection.id) %% 5 = 0 ORDER BY connection.id, engagement.id;

-- A third of all Records are of the first Connection; two thirds are mapped.
INSERT INTO record (connection_id, vendor_id, name, parent, url, attributes, first_seen_operation_id)
SELECT CASE WHEN n <= %(records)s / 3 THEN 1 ELSE 2 + n %% (%(connections)s - 1) END, 'vendor-' || md5(n::text),
       (ARRAY['api', 'web', 'worker', 'batch', 'infra', 'library', 'mobile', 'admin'])[1 + n %% 8]
       || '-' || (ARRAY['orders', 'payments', 'users', 'search', 'stock', 'mail', 'reports'])[1 + n %% 7] || '-' || n,
       'group/' || n %% 500, 'https://vendor.example.org/project/' || n, '{"language": "python"}', 1
  FROM generate_series(1, %(records)s) AS n;
INSERT INTO feed (record_id, test_id)
SELECT record.id, place.tests[1 + record.id %% cardinality(place.tests)]
  FROM record
  JOIN (SELECT connection_id, array_agg(id ORDER BY id) AS tests FROM test GROUP BY connection_id) AS place USING (connection_id)
 WHERE record.id %% 3 <> 0 ORDER BY record.connection_id, record.id;
UPDATE record SET feed_id = feed.id, decision = 'mapped', finalized_at = now(), finalized_by = 'alice', finalized_how = 'person',
                  absent_since = CASE WHEN record.id %% 50 = 1 THEN now() END
  FROM feed WHERE feed.record_id = record.id;
UPDATE record SET decision = 'ignored', finalized_at = now(), finalized_by = 'alice', ignored_because = 'A sandbox'
 WHERE id %% 15 = 0;
INSERT INTO part (feed_id, family, branch, proven_operation_id, proven_at, last_operation_id, last_outcome)
SELECT id, family, '', 1, now(), 1, 'complete' FROM feed CROSS JOIN (VALUES ('code'), ('dependency')) AS family (family);
INSERT INTO result (operation_id, record_id, outcome, counts, feed_id)
SELECT 1 + record.id %% %(operations)s, record.id, 'complete', '{"seen": 10}', feed_id FROM record WHERE feed_id IS NOT NULL;
INSERT INTO result (operation_id, record_id, outcome, counts)
SELECT %(operations)s - 1, id, 'complete', '{"seen": 10}' FROM record WHERE decision = 'mapped' AND connection_id = 2 LIMIT 500;
TRUNCATE record_history;
INSERT INTO record_history (record_id, actor, before, after)
SELECT id, 'alice', '{"decision": "undecided"}', '{"decision": "mapped"}' FROM record WHERE decision = 'mapped';

-- Findings: numbers, feeds (of each), operations, words.
INSERT INTO finding (feed_id, created_operation, created_at, key_hash, fingerprint, mapping_version, severity_vendor, severity,
                     vendor_verdict, open, active, family, branch, key, title, fields, closed_because, closed_operation, closed_at,
                     changed_operation)
SELECT feed, 1 + n %% %(operations)s, now() - (1000000 - n) * interval '1 minute', md5(n::text)::uuid, md5(n::text)::uuid, 1, kind %% 6, kind %% 6,
       CASE WHEN fate = 9 THEN 1 ELSE 0 END, fate NOT IN (6, 7, 8), fate NOT IN (6, 7, 8, 9), CASE WHEN kind %% 3 = 0 THEN 'dependency' ELSE 'code' END,
       '', 'KEY-' || n, title || ' ' || place || ' of component ' || component,
       jsonb_build_object('path', 'src/' || place || '/handler_' || n %% 5000 || '.py', 'line', n %% 900, 'rule', 'python:S' || kind,
           'cwe', jsonb_build_array(20 + kind %% 120), 'component', component, 'version', '1.' || n %% 30,
           'ids', CASE WHEN kind %% 3 = 0 THEN jsonb_build_array('CVE-20' || 10 + n %% 16 || '-' || 1000 + n %% 40000) ELSE '[]' END,
           'url', 'https://scanner.example.org/issues/' || n, 'vendor_status', 'OPEN', 'severity', 'HIGH',
           'description', n || ': ' || repeat(%(words)s, 7)),
       CASE WHEN fate IN (6, 7, 8) THEN 'gone' END, CASE WHEN fate IN (6, 7, 8) THEN 2 END, CASE WHEN fate IN (6, 7, 8) THEN now() END,
       CASE WHEN n %% 9 = 0 THEN 3 END
  FROM (SELECT n, feed, abs(hashint8(n * 31)::bigint) %% 10 AS fate,
               -- The frequent kinds are very frequent: half of all findings are of thirty kinds, the rest of three hundred.
               floor(300 * power(abs(hashint8(n * 17)::bigint) / 2147483648.0, 2))::int AS kind
          FROM unnest(%(numbers)s::bigint[], %(feeds)s::bigint[]) AS given (n, feed)) AS drawn
 CROSS JOIN LATERAL (SELECT (ARRAY['SQL injection', 'Cross-site scripting', 'Hard-coded password', 'Weak hash', 'Path traversal',
            'Open redirect', 'Outdated library', 'Missing header', 'Deserialization of untrusted data', 'Race condition',
            'Memory leak', 'Verbose error', 'Prototype pollution', 'Insecure cookie', 'Denial of service'])[1 + kind %% 15]
            || ' variant' || kind || ' in' AS title,
            (ARRAY['orders', 'payments', 'users', 'search', 'stock', 'mail', 'reports', 'basket'])[1 + n %% 8] || n %% 700 AS place,
            'lib-' || (ARRAY['json', 'xml', 'http', 'crypto', 'image', 'log', 'mail', 'zip'])[1 + kind %% 8] || n %% 400 AS component) AS told
