-- What is new, changed or gone in one Feed: one hash join of what was read with what is stored. Unchanged rows do not
-- come out. kind: 1 created, 2 changed, 3 rewritten by a newer mapping, 4 reopened, 5 fixed says the vendor, 6 below the
-- threshold, 7 gone, 8 gone and kept open by a person; 11, 13 and 14 are gone, fixed or below where a person undid that
-- once: held; where a person then kept it open for the same reason nobody is asked again: 8, and 15 for below. Only
-- counted are 9 and 10, new and below, new and fixed, and 12, open and not readable in this pass.
-- let_go: a closing of it waited and waits no longer, for it was shown again or is closed; then kind may be 0.
-- The first condition says nothing new: it lets nearly all rows go at the join, before anything else is looked at. Where
-- the fingerprint is the same the vendor's severity is, so what is stored is the severity in force.
-- Parameters: feed, minimum (rank), mapping_version. Locks: the caller holds the Record. Rows: one a difference.
INSERT INTO compared (kind, part, finding_id, key_hash, fingerprint, severity_vendor, severity, verdict, active, position,
                      length, let_go)
SELECT kind, part, finding_id, key_hash, fingerprint, severity_vendor, severity, verdict,
       kind IN (1, 2, 3, 4) AND NOT judged AS active, position, length, let_go AND kind NOT IN (8, 13, 14, 15)
  FROM (
    SELECT CASE
               WHEN staged.key_hash IS NULL THEN
                   CASE
                       WHEN NOT stored.open OR NOT stored.closes THEN 0
                       WHEN stored.standing = 'kept open' THEN 8
                       WHEN stored.undone THEN 11
                       ELSE 7
                   END
               WHEN staged.flags & 2 <> 0 THEN CASE WHEN stored.open THEN 12 ELSE 0 END
               WHEN stored.id IS NULL THEN
                   CASE
                       WHEN staged.flags & 1 <> 0 THEN 10
                       WHEN coalesce(said.severity, staged.severity) < %(minimum)s
                            AND coalesce(said.severity, staged.severity) <> 2 THEN 9
                       ELSE 1
                   END
               WHEN staged.flags & 1 <> 0 THEN
                   CASE
                       WHEN NOT stored.open THEN 0
                       WHEN stored.undone AND stored.standing = 'kept open' AND stored.because = 'fixed' THEN 8
                       WHEN stored.undone THEN 13
                       ELSE 5
                   END
               WHEN coalesce(said.severity, staged.severity) < %(minimum)s
                    AND coalesce(said.severity, staged.severity) <> 2 THEN
                   CASE
                       WHEN NOT stored.open THEN 9
                       WHEN stored.undone AND stored.standing = 'kept open' AND stored.because = 'threshold' THEN 15
                       WHEN stored.undone THEN 14
                       ELSE 6
                   END
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
           stored.standing IS NOT NULL AND (staged.key_hash IS NOT NULL OR NOT stored.open) AS let_go
      FROM staged
      FULL JOIN (
        SELECT finding.id, finding.key_hash, finding.fingerprint, finding.mapping_version, finding.severity, finding.open,
               staged_part.part, staged_part.closes, held.standing, held.undone, held.because
          FROM finding
          JOIN staged_part ON staged_part.family = finding.family AND staged_part.branch = finding.branch
          LEFT JOIN held ON held.finding_id = finding.id AND held.feed_id = finding.feed_id
         WHERE finding.feed_id = %(feed)s
      ) AS stored ON stored.part = staged.part AND stored.key_hash = staged.key_hash
      LEFT JOIN (
        SELECT part, key_hash,
               min(value) FILTER (WHERE field = 'severity')::smallint AS severity,
               min(value) FILTER (WHERE field = 'verdict' AND (until IS NULL OR until > now())) AS verdict
          FROM decision
          JOIN staged_part USING (family)
         WHERE feed_id = %(feed)s
         GROUP BY part, key_hash
      ) AS said ON said.part = staged.part AND said.key_hash = staged.key_hash
     WHERE (staged.fingerprint = stored.fingerprint AND staged.flags = 0 AND stored.open AND stored.standing IS NULL
            AND (stored.severity >= %(minimum)s OR stored.severity = 2)) IS NOT TRUE
  ) AS judged
 WHERE kind <> 0 OR let_go
