"""What lists begin with is kept by triggers (0013_lists, 0023_states): this finds where it is not what is there."""

from __future__ import annotations

from typing import Any

from django.db import connection

KEPT_WRONGLY = """
WITH there AS (
  SELECT connection_id, CASE WHEN decision = 'undecided' THEN 'new' WHEN decision = 'ignored' THEN 'ignored'
                             WHEN absent_since IS NOT NULL THEN 'missing' WHEN feed_id IS NULL THEN 'stale'
                             ELSE 'good' END AS state
    FROM record WHERE deleted_at IS NULL)
(SELECT 'product' AS what, product_id AS of, severity, open, active, sum(n) AS n
   FROM product_tally GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0
 EXCEPT
 SELECT 'product', engagement.product_id, severity, finding.open, active, count(*)
   FROM finding JOIN feed ON feed.id = finding.feed_id JOIN test ON test.id = feed.test_id
   JOIN engagement ON engagement.id = test.engagement_id GROUP BY 1, 2, 3, 4, 5)
UNION ALL
(SELECT 'product counted', engagement.product_id, severity, finding.open, active, count(*)
   FROM finding JOIN feed ON feed.id = finding.feed_id JOIN test ON test.id = feed.test_id
   JOIN engagement ON engagement.id = test.engagement_id GROUP BY 1, 2, 3, 4, 5
 EXCEPT
 SELECT 'product counted', product_id, severity, open, active, sum(n) FROM product_tally GROUP BY 1, 2, 3, 4, 5)
UNION ALL
(SELECT 'state ' || state, connection_id, 0, true, true, sum(n) FROM record_tally GROUP BY 1, 2 HAVING sum(n) <> 0
 EXCEPT
 SELECT 'state ' || state, connection_id, 0, true, true, count(*) FROM there GROUP BY 1, 2)
UNION ALL
(SELECT 'state counted ' || state, connection_id, 0, true, true, count(*) FROM there GROUP BY 1, 2
 EXCEPT
 SELECT 'state counted ' || state, connection_id, 0, true, true, sum(n) FROM record_tally GROUP BY 1, 2)
UNION ALL
SELECT 'open', id, 0, true, behind, open_findings FROM feed
 WHERE open_findings <> (SELECT count(*) FROM finding WHERE feed_id = feed.id AND finding.open)
UNION ALL
SELECT 'first', id, 0, true, behind, first_finding FROM feed
 WHERE (SELECT min(finding.id) < coalesce(feed.first_finding, 9223372036854775807)
          FROM finding WHERE feed_id = feed.id)
UNION ALL
SELECT 'behind', feed.id, 0, true, behind, feed.open_findings FROM feed JOIN record ON record.id = feed.record_id
 WHERE behind <> (record.feed_id IS DISTINCT FROM feed.id OR record.absent_since IS NOT NULL)
"""


def kept_wrongly() -> list[tuple[Any, ...]]:
    """What is kept and is not what is counted; nothing, where all is well."""
    with connection.cursor() as cursor:
        cursor.execute(KEPT_WRONGLY)
        return cursor.fetchall()
