-- Between which numbers the findings lie whose words are known.
-- Parameters: none. Locks: none. Rows: one; both are null where there is none.
SELECT min(finding_id) AS first, max(finding_id) AS last FROM finding_words
