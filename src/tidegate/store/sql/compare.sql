-- What is new, changed or gone in one Feed: one hash join of what was read with what is stored. Unchanged rows do not
-- come out. kind: 1 created, 2 changed, 3 rewritten by a newer mapping, 4 reopened, 5 fixed says the vendor, 6 below the
-- threshold, 7 gone, 8 gone and kept open by a person; 9 and 10 are only counted: new and below, new and fixed.
-- let_go: a closing of it waited and waits no longer, for it was shown again or is closed; then kind may be 0.
-- Parameters: feed, minimum (rank), mapping_version. Locks: the caller holds the Record. Rows: one a difference.
INSERT INTO compared (kind, part, finding_id, key_hash, fingerprint, severity_vendor, severity, verdict, active, position,
                      length, let_go)
SELECT kind, part, finding_id, key_hash, fingerprint, severity_vendor, severity, verdict,
       kind IN (1, 2, 3, 4) AND NOT judged AS active, position, length, let_go
  FROM (
    SELECT CASE
               WHEN staged.key_hash IS NULL THEN
                   CASE WHEN NOT stored.open OR NOT stored.closes THEN 0 WHEN held.standing = 'kept open' THEN 8 ELSE 7 END
               WHEN staged.flags & 2 <> 0 THEN 0
               WHEN stored.id IS NULL THEN
                   CASE
                       WHEN staged.flags & 1 <> 0 THEN 10
                       WHEN coalesce(said.severity, staged.severity) < %(minimum)s
                            AND coalesce(said.severity, staged.severity) <> 2 THEN 9
                       ELSE 1
                   END
               WHEN staged.flags & 1 <> 0 THEN CASE WHEN stored.open THEN 5 ELSE 0 END
               WHEN coalesce(said.severity, staged.severity) < %(minimum)s
                    AND coalesce(said.severity, staged.severity) <> 2 THEN CASE WHEN stored.open THEN 6 ELSE 9 END
               WHEN NOT stored.open THEN 4
               WHEN stored.fingerprint = staged.fingerprint THEN 0
               WHEN stored.mapping_version <> %(mapping_version)s THEN 3
               ELSE 2
           END::smallint AS kind,
           coalesce(staged.part, stored.part) AS part,
           stored.id AS finding_id,
           staged.key_hash,
           staged.fingerprint,
           staged.severity AS severity_vendor,
           coalesce(said.severity, staged.severity) AS severity,
           staged.verdict,
           CASE WHEN said.verdict IS NULL THEN staged.verdict <> 0 ELSE said.verdict <> 'real' END AS judged,
           staged.position,
           staged.length,
           held.finding_id IS NOT NULL AND (staged.key_hash IS NOT NULL OR NOT stored.open) AS let_go
      FROM (
        SELECT staged.*, staged_part.family FROM staged JOIN staged_part USING (part)
      ) AS staged
      FULL JOIN (
        SELECT finding.id, finding.key_hash, finding.fingerprint, finding.mapping_version, finding.open,
               staged_part.part, staged_part.closes
          FROM finding
          JOIN staged_part ON staged_part.family = finding.family AND staged_part.branch = finding.branch
         WHERE finding.feed_id = %(feed)s
      ) AS stored ON stored.part = staged.part AND stored.key_hash = staged.key_hash
      LEFT JOIN held ON held.finding_id = stored.id
      LEFT JOIN (
        SELECT family, key_hash,
               min(value) FILTER (WHERE field = 'severity')::smallint AS severity,
               min(value) FILTER (WHERE field = 'verdict' AND (until IS NULL OR until > now())) AS verdict
          FROM decision
         WHERE feed_id = %(feed)s
         GROUP BY family, key_hash
      ) AS said ON said.family = staged.family AND said.key_hash = staged.key_hash
  ) AS judged
 WHERE kind <> 0 OR let_go
