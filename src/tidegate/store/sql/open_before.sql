-- Open findings of a Feed by Family and Branch: all of them; and as a collapse is judged by, without those that a person
-- keeps open although they are gone, those that close now on the vendor's word (5) or a threshold (6), and those whose
-- closing a person undid (11, 13, 14).
-- Parameters: feed. Locks: none. Rows: one a Family and Branch.
WITH aside AS (
    SELECT finding.family, finding.branch, count(*) AS n
      FROM held
      JOIN finding ON finding.id = held.finding_id
     WHERE held.feed_id = %(feed)s AND held.standing = 'kept open' AND finding.open
     GROUP BY finding.family, finding.branch
     UNION ALL
    SELECT staged_part.family, staged_part.branch, count(*)
      FROM compared
      JOIN staged_part USING (part)
      LEFT JOIN held ON held.finding_id = compared.finding_id AND held.standing = 'kept open'
     WHERE compared.kind IN (5, 6, 11, 13, 14) AND held.finding_id IS NULL
     GROUP BY staged_part.family, staged_part.branch
)
SELECT family, branch, sum(n)::bigint AS open, sum(n)::bigint - coalesce((
           SELECT sum(aside.n)::bigint FROM aside WHERE (aside.family, aside.branch) = (tally.family, tally.branch)
       ), 0) AS judged
  FROM tally
 WHERE feed_id = %(feed)s AND open
 GROUP BY family, branch
HAVING sum(n) > 0
