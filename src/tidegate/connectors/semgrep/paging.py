"""How Semgrep's lists are walked: pages by number without a total, cursors, and the projects of the deployment."""

from dataclasses import dataclass, field, replace
from typing import Any

from tidegate_sdk import Ask, Incomplete, Page, Proof, VendorChanged, Walk, dig, identifier
from tidegate_sdk.fields import rows, text

PER_PAGE = 500


@dataclass(frozen=True, slots=True)
class Deployment:
    """The organization that a token belongs to."""

    id: str
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """Pages counted from zero. Semgrep declares neither a total nor a last page, so an empty one is the end.

    Rows move from page to page while others come and go.
    """

    per: int = PER_PAGE

    def walk(self, first: Ask) -> Walk:
        seen, number, before = 0, 0, Page()
        while True:
            page = yield first.more(page=number, page_size=self.per)
            if not page.count:
                return Proof(seen, None, "drifting", max(number, 1))
            if page.rows == before.rows:
                raise Incomplete(f"Semgrep sends the same page again, number {number}.")
            seen, number, before = seen + page.count, number + 1, page


@dataclass(frozen=True, slots=True)
class Cursors:
    """A cursor leads to the next page; the last one has none, or nothing follows it."""

    per: int = PER_PAGE
    cursor: str = "cursor"

    def walk(self, first: Ask) -> Walk:
        seen, pages, ask = 0, 0, first.more(limit=self.per)
        while True:
            page = yield ask
            seen, pages = seen + page.count, pages + 1
            cursor: Any = dig(page.body, self.cursor, None)
            if cursor is None or cursor == "" or not page.count:
                return Proof(seen, pages=pages)
            if not isinstance(cursor, str):
                raise VendorChanged("The answer's cursor is no cursor.")
            ask = first.more(limit=self.per, cursor=cursor)


@dataclass(slots=True)
class Projects:
    """The deployment that the token sees, then its projects."""

    deployment: Deployment = field(default_factory=lambda: Deployment("", "", ""))

    def walk(self, first: Ask) -> Walk:
        page = yield replace(first, bare=True)
        self.deployment = deployment_of(page)
        ask = Ask(f"api/v1/deployments/{self.deployment.slug}/projects")
        return (yield from Numbered(100).walk(ask))


def deployment_of(page: Page) -> Deployment:
    """The one deployment that a token sees: Semgrep gives a token no more, and none without any."""
    told = rows(page.body, "deployments")
    if len(told) != 1:
        raise VendorChanged(f"The token sees {len(told)} deployments, where Semgrep promises one.")
    slug = identifier(told[0], "slug")
    return Deployment(identifier(told[0], "id"), slug, text(told[0].get("name")) or slug)
