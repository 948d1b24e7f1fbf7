-- Open findings of a Feed by Family and Branch, and those of them that a person keeps open although they are gone.
-- Parameters: feed. Locks: none. Rows: one a Family and Branch.
SELECT family, branch, sum(n)::bigint AS open,
       (SELECT count(*) FROM held JOIN finding ON finding.id = held.finding_id
         WHERE held.feed_id = %(feed)s AND held.standing = 'kept open' AND finding.open
           AND finding.family = tally.family AND finding.branch = tally.branch) AS kept_open
  FROM tally
 WHERE feed_id = %(feed)s AND open
 GROUP BY family, branch
HAVING sum(n) > 0
