-- Which findings of one Feed go over to another of the same Record, in a range of keys, and beside which one there, where
-- the same is there already. Those that this step merged already stay behind, and are not among them. A range holds all
-- Branches of a finding, so what is decided of it goes over once.
-- Parameters: source, destination, step, low, high. Locks: the caller holds the Record. Rows: one a finding.
SELECT this.id AS source_id, there.id AS there_id
  FROM finding AS this
  LEFT JOIN finding AS there
    ON there.feed_id = %(destination)s
   AND (there.family, there.branch, there.key_hash) = (this.family, this.branch, this.key_hash)
 WHERE this.feed_id = %(source)s
   AND this.key_hash BETWEEN %(low)s::uuid AND %(high)s::uuid
   AND NOT EXISTS (
       SELECT FROM journal
        WHERE journal.finding_id = there.id AND journal.kind = 'merged' AND journal.before ->> 'step' = %(step)s
   )
