-- What a Sync would close or hold, for a preview; what is gone counts as closed until the verdict.
-- Parameters: operation, record, at_most. Locks: none. Rows: one a difference that is shown.
INSERT INTO difference (operation_id, kind, record_id, finding_id, family, branch, key, title, severity, because)
SELECT %(operation)s, CASE WHEN kind IN (5, 6, 7) THEN 'closed' ELSE 'held' END, %(record)s, finding.id, finding.family,
       finding.branch, finding.key, finding.title, finding.severity,
       CASE WHEN kind IN (5, 13) THEN 'fixed' WHEN kind IN (6, 14) THEN 'threshold' ELSE shown.because END
  FROM (
    SELECT kind, finding_id, because, row_number() OVER (PARTITION BY kind ORDER BY finding_id) AS nth
      FROM compared
      JOIN staged_part USING (part)
     WHERE kind IN (5, 6, 7, 11, 13, 14)
  ) AS shown
  JOIN finding ON finding.id = shown.finding_id
 WHERE nth <= %(at_most)s
