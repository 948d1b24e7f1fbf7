-- These findings as lists show them: each with where it lies, what waits for it, what a person says of it and how its
-- part was last read. Of `fields` only what tells the place: the rest is long.
-- Parameters: ids. Locks: none. Rows: one a finding that is there, in no order.
WITH shown AS MATERIALIZED (
    SELECT finding.id, finding.feed_id, finding.severity, finding.title, finding.active, finding.open, finding.family,
           finding.branch, finding.key, finding.created_at, finding.closed_operation, finding.closed_because,
           finding.vendor_verdict,
           finding.fields ->> 'path' AS path, finding.fields ->> 'line' AS line, finding.fields ->> 'component' AS component,
           finding.fields ->> 'version' AS version, finding.fields ->> 'endpoint' AS endpoint, finding.fields ->> 'image' AS image,
           held.standing, held.latest_operation, held.last_seen_at, held.said_by,
           verdict.value AS verdict, verdict.until AS verdict_until, verdict.by AS verdict_by,
           part.proven_at, part.last_outcome
      FROM finding
      LEFT JOIN held ON held.finding_id = finding.id
      LEFT JOIN decision AS verdict
             ON (verdict.feed_id, verdict.family, verdict.key_hash, verdict.field)
              = (finding.feed_id, finding.family, finding.key_hash, 'verdict')
      LEFT JOIN part ON (part.feed_id, part.family, part.branch) = (finding.feed_id, finding.family, finding.branch)
     WHERE finding.id = ANY (%(ids)s::bigint[])
), place AS MATERIALIZED (
    SELECT feed.id AS feed_id, record.id AS record_id, record.name AS record, record.feed_id AS flows_to,
           record.decision, record.finalized_at, record.deleted_at, record.absent_since,
           connection.label AS connection, connection.deleted_at AS connection_deleted_at,
           product.id AS product_id, product.name AS product
      FROM feed
      JOIN record ON record.id = feed.record_id
      JOIN connection ON connection.id = record.connection_id
      JOIN test ON test.id = feed.test_id
      JOIN engagement ON engagement.id = test.engagement_id
      JOIN product ON product.id = engagement.product_id
     WHERE feed.id IN (SELECT feed_id FROM shown)
)
SELECT * FROM shown JOIN place USING (feed_id)
