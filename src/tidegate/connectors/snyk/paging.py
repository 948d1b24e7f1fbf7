"""How Snyk's lists are walked: pages by cursor, and the projects of one organization after the other."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, cast

from tidegate_sdk import Ask, Incomplete, Page, Proof, VendorChanged, Walk, dig, identifier
from tidegate_sdk.fields import rows, text

VERSION = {"version": "2024-10-15"}
"""Each endpoint answers as it did on that day, whatever it learns later."""
PER_PAGE = {**VERSION, "limit": 100}
"""The most that a page holds."""
COUNTED = {"expand": "target", "meta.latest_issue_counts": "true"}
"""What is told of a project beside itself: its target, and how many issues its latest test found."""
NEXT = "links.next"


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization that the token sees."""

    id: str
    name: str
    slug: str
    """What the addresses of its screens call it."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one list, along its links: each holds a cursor, so a page stands still while others come and go."""

    link: str = NEXT

    def walk(self, first: Ask) -> Walk:
        seen, pages = 0, 0
        ask: Ask | None = first
        while ask is not None:
            page = yield ask
            seen, pages = seen + page.count, pages + 1
            ask = following(page, first)
        return Proof(seen, pages=pages)


@dataclass(slots=True)
class Projects:
    """The projects of every organization, or of those that a pattern names: by its slug, its name or its id."""

    patterns: tuple[str, ...] = ()
    organizations: dict[str, Organization] = field(default_factory=dict[str, Organization])
    """Those whose projects are read, by id."""
    link: str = NEXT

    def walk(self, first: Ask) -> Walk:
        seen, pages = 0, 0
        wanted = yield from self._wanted(replace(first, bare=True))
        self.organizations.clear()
        self.organizations.update({each.id: each for each in wanted})
        for organization in wanted:
            proof = yield from Pages().walk(Ask(f"rest/orgs/{organization.id}/projects", {**PER_PAGE, **COUNTED}))
            seen, pages = seen + proof.seen, pages + proof.pages
        return Proof(seen, pages=max(pages, 1))

    def _wanted(self, first: Ask) -> Generator[Ask, Page, list[Organization]]:
        """An empty scope is not an empty answer: a pattern that names nothing proves nothing."""
        listed = yield from _listed(first)
        if not self.patterns:
            return listed
        wanted = [each for each in listed if any(_names(pattern, each) for pattern in self.patterns)]
        if not wanted:
            told = ", ".join(f"«{pattern}»" for pattern in self.patterns)
            raise Incomplete(f"Of the {len(listed)} organizations that the token sees none is called {told}.")
        return wanted


def following(page: Page, ask: Ask) -> Ask | None:
    """The question for the next page, None after the last one.

    The link is a text or an object that holds one. It is relative to the host, and older versions leave out where the
    API stands there.
    """
    if not isinstance(dig(page.body, "links"), Mapping):
        raise VendorChanged("The answer has no links, so nothing says whether another page follows.")
    link: Any = dig(page.body, NEXT, None)
    if link is None or link == "":
        return None
    if isinstance(link, Mapping):
        link = cast("Mapping[str, Any]", link).get("href") or link
    if not isinstance(link, str):
        raise VendorChanged("The link to the next page is no link.")
    return replace(ask, path=f"/rest{link}" if link.startswith("/orgs") else link, query={})


def _listed(first: Ask) -> Generator[Ask, Page, list[Organization]]:
    found: list[Organization] = []
    asked: set[str] = set()
    ask: Ask | None = first
    while ask is not None:
        if ask.path in asked:
            raise Incomplete("Snyk repeats a page of its organizations.")
        asked.add(ask.path)
        page = yield ask
        for row in rows(page.body, "data"):
            slug = identifier(row, "attributes.slug")
            found.append(Organization(identifier(row, "id"), text(row["attributes.name"]) or slug, slug))
        ask = following(page, first)
    return found


def _names(pattern: str, organization: Organization) -> bool:
    told = (organization.slug, organization.name, organization.id)
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for name in told)
