"""How Burp's two lists are walked: the site tree, and the issues of a scan."""

from dataclasses import dataclass, field, replace

from tidegate.connectors.burpsuite import queries
from tidegate.connectors.burpsuite.identity import identifier
from tidegate.connectors.burpsuite.verdict import verdict_of
from tidegate_sdk import Ask, Incomplete, Proof, Row, Verdict, Walk, Whole, dig, graphql, steady_total
from tidegate_sdk.fields import rows, whole_number


@dataclass(frozen=True, slots=True)
class SiteTree:
    """The folders, kept for the sites' names' sake, then every site in one answer."""

    folders: dict[str, Row] = field(default_factory=dict[str, Row])

    def walk(self, first: Ask) -> Walk:
        page = yield graphql(queries.FOLDERS, path=queries.PATH, bare=True)
        self.folders.clear()
        self.folders.update({identifier(folder["id"]): folder for folder in rows(page.body, "data.site_tree.folders")})
        return (yield from Whole().walk(first))


@dataclass(frozen=True, slots=True)
class ScanIssues:
    """Issues by offset, to an empty page: what Burp's total counts of issues that people marked is not documented.

    The order of the list is not documented either, so pages drift, although a completed scan finds nothing more.
    """

    count: int = 100

    def walk(self, first: Ask) -> Walk:
        seen = false = marked = pages = 0
        total, before = None, None
        while True:
            page = yield _with_variables(first, start=seen, count=self.count)
            total = steady_total(total, whole_number(dig(page.body, "data.scan.issue_counts.total")))
            if not page.count:
                break
            if before == page.rows:
                raise Incomplete(f"Burp sent the same page again after {seen} of {total} issues.")
            before, seen, pages = page.rows, seen + page.count, pages + 1
            verdicts = [verdict for row in page.rows if (verdict := verdict_of(row)) is not None]
            marked, false = marked + len(verdicts), false + verdicts.count(Verdict.FALSE_POSITIVE)
            if seen - marked > total:
                break
        if total not in (seen, seen - false, seen - marked):
            raise Incomplete(f"Burp counts {total} issues and listed {seen}.")
        return Proof(seen, total if total == seen else None, "whole" if pages <= 1 else "drifting", max(pages, 1))


def _with_variables(ask: Ask, **more: int) -> Ask:
    return replace(ask, json={**ask.json, "variables": {**ask.json["variables"], **more}})
