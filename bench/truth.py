"""Whether what is stored after a soak is what the vendors have, and keeps the invariants of promises.md."""

from __future__ import annotations

from bench.house import House
from bench.worlds import RANKS, Worlds

JOBS_DUE = "SELECT 1 FROM procrastinate_jobs WHERE scheduled_at IS NULL OR scheduled_at <= now() OR status <> 'todo'"


class Truth:
    """Whether what is stored is what the vendors have, and whether it keeps the invariants."""

    def __init__(self, house: House, worlds: Worlds) -> None:
        self.house, self.worlds = house, worlds

    def wrong(self) -> list[str]:
        return [*self._records(), *self._findings(), *self._invariants(), *self._operations()]

    def _records(self) -> list[str]:
        from tidegate.store.models import Connection, Record

        wrong = []
        for connection in Connection.objects.filter(deleted_at=None):
            world = self.worlds.of[connection.label]
            there = Record.objects.filter(connection_id=connection.pk, deleted_at=None)
            present = set(there.filter(absent_since=None).values_list("vendor_id", flat=True))
            if present != set(world):
                wrong.append(
                    f"{connection.label}: Records {sorted(present - set(world))} are not Missing,"
                    f" applications {sorted(set(world) - present)} have none"
                )
        return wrong

    def _findings(self) -> list[str]:
        from tidegate.store.models import Connection, Decision, Finding, Held, Record

        wrong = []
        self.compared = 0
        for connection in Connection.objects.filter(deleted_at=None):
            mapped = Record.objects.filter(
                connection_id=connection.pk, deleted_at=None, absent_since=None, decision="mapped", feed__isnull=False
            )
            for record in mapped:
                world = self.worlds.of[connection.label].get(record.vendor_id, {})
                stored = {
                    (finding.family, finding.key): finding for finding in Finding.objects.filter(feed_id=record.feed_id)
                }
                decided = {
                    (decision.family, str(decision.key_hash)): int(decision.value)
                    for decision in Decision.objects.filter(feed_id=record.feed_id, field="severity")
                }
                kept = set(
                    Held.objects.filter(feed_id=record.feed_id, standing=Held.KEPT_OPEN).values_list(
                        "finding__family", "finding__key"
                    )
                )
                expected = set()
                for family, findings in world.items():
                    for key, row in findings.items():
                        known = stored.get((family, key))
                        hash = str(known.key_hash) if known else ""
                        rank = decided.get((family, hash), RANKS[row["severity"]])
                        if row["status"] != "fixed" and rank >= connection.minimum_severity:
                            expected.add((family, key))
                        if known and known.open and known.title != row["title"]:
                            wrong.append(f"{connection.label}, {record.name}: {key} has an old title")
                open_now = {key for key, finding in stored.items() if finding.open}
                self.compared += len(expected)
                if open_now - kept != expected - kept or not kept <= open_now:
                    more, less = sorted(open_now - kept - expected), sorted(expected - open_now)
                    wrong.append(
                        f"{connection.label}, {record.name} ({record.pk}, Feed {record.feed_id}): open and not at the"
                        f" vendor: {more[:5]} of {len(more)}; at the vendor and not open: {less[:5]} of {len(less)}"
                    )
        return wrong

    def _invariants(self) -> list[str]:
        counted = {
            "findings that are there twice": "SELECT count(*) FROM (SELECT FROM finding"
            " GROUP BY feed_id, family, branch, key HAVING count(*) > 1) AS twice",
            "open findings with a reason for their closing, or closed ones without": "SELECT count(*) FROM finding"
            " WHERE open <> (closed_because IS NULL)",
            "findings whose tally is wrong": "SELECT count(*) FROM (SELECT feed_id, family, branch, severity, open,"
            " active, count(*) AS n FROM finding GROUP BY 1, 2, 3, 4, 5, 6) AS counted FULL JOIN (SELECT * FROM tally"
            " WHERE n <> 0) AS tallied USING (feed_id, family, branch, severity, open, active)"
            " WHERE counted.n IS DISTINCT FROM tallied.n",
            "active findings that are closed": "SELECT count(*) FROM finding WHERE active AND NOT open",
            "findings whose activity is not what was decided": "SELECT count(*) FROM finding LEFT JOIN decision"
            " ON decision.feed_id = finding.feed_id AND decision.family = finding.family"
            " AND decision.key_hash = finding.key_hash AND decision.field = 'verdict' WHERE finding.active <>"
            " (finding.open AND CASE WHEN decision.value IS NULL THEN finding.vendor_verdict = 0"
            " ELSE decision.value = 'real' END)",
            "closings that wait for a verdict": "SELECT count(*) FROM held JOIN record"
            " ON record.feed_id = held.feed_id WHERE held.standing = 'pending' AND record.absent_since IS NULL",
            "held closings of closed findings": "SELECT count(*) FROM held JOIN finding ON finding.id ="
            " held.finding_id WHERE NOT finding.open",
            "Operations that run or wait": "SELECT count(*) FROM operation WHERE status IN ('pending', 'running')"
            " AND (not_before IS NULL OR not_before <= now())",
            "leases": "SELECT count(*) FROM lease",
            "jobs that wait or are done": f"SELECT count(*) FROM ({JOBS_DUE}) AS due",
            "Operations that ended and have no end": "SELECT count(*) FROM operation WHERE status NOT IN ('pending',"
            " 'running') AND ended_at IS NULL",
            "Results that are not of an Operation": "SELECT count(*) FROM result LEFT JOIN operation ON operation.id ="
            " result.operation_id WHERE operation.id IS NULL",
            "findings closed without an Operation or a person": "SELECT count(*) FROM finding WHERE NOT open AND"
            " closed_at IS NULL",
        }
        found = {what: int(str(self.house.ask(statement)[0][0])) for what, statement in counted.items()}
        return [f"{number} {what}" for what, number in found.items() if number]

    def _operations(self) -> list[str]:
        unsaid = self.house.ask(
            "SELECT id, type, status, cause, why FROM operation WHERE (status = 'failed' AND (cause = '' OR why = ''))"
            " OR (status = 'cancelled' AND why = '') OR (status = 'partial' AND why = '') OR cause = 'fault' LIMIT 20"
        )
        return [f"Operation {id}: {type}, {status}, cause {cause!r}: {why}" for id, type, status, cause, why in unsaid]
