-- How far a merge of two Feeds of a Record is: whether something still has to go over, and whether something went.
-- Parameters: source, destination, step. Locks: the caller holds the Record. Rows: one.
SELECT (
    SELECT count(*)
      FROM finding AS this
      LEFT JOIN finding AS there
        ON there.feed_id = %(destination)s
       AND (there.family, there.branch, there.key_hash) = (this.family, this.branch, this.key_hash)
     WHERE this.feed_id = %(source)s
       AND NOT EXISTS (
           SELECT FROM journal
            WHERE journal.finding_id = there.id AND journal.kind = 'merged' AND journal.before ->> 'step' = %(step)s
       )
) AS to_go, EXISTS (
    SELECT FROM finding
      JOIN journal ON journal.finding_id = finding.id
     WHERE finding.feed_id = %(destination)s
       AND journal.kind IN ('moved', 'merged')
       AND journal.before ->> 'step' = %(step)s
) AS went
