"""The rules of the server: what each is about, how to fix it, and which weaknesses it names. Asked for once a run."""

import html
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from tidegate.connectors.sonarqube.scalars import objects, rows, text, whole_number
from tidegate_sdk import Ask, Incomplete, Page, Row, dig, identifier, steady_total

LONGEST = 4_000
"""Characters kept of a rule's description and of its remediation, which stand in every finding of the rule."""
TYPES = "VULNERABILITY,SECURITY_HOTSPOT"
EVERY_STATUS = "BETA,DEPRECATED,READY,REMOVED"
"""Without it the search leaves out removed rules, whose issues stay open until the next analysis."""
_FIX, _LINKS = "how_to_fix", "resources"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule says. `fixes` are its remediations by context ("spring"), "" where there is one for all."""

    description: str = ""
    fixes: Mapping[str, str] = field(default_factory=dict[str, str])
    cwe: tuple[int, ...] = ()
    references: tuple[str, ...] = ()

    def fix(self, context: str = "") -> str:
        """The remediation for a context; without one of its own that for all, else the first."""
        return self.fixes.get(context) or self.fixes.get("") or next(iter(self.fixes.values()), "")


NO_RULE = Rule()


@dataclass(slots=True)
class Rules:
    """Every rule that can raise a vulnerability or a hotspot, by its key. Learned by the first list that is read."""

    by_key: dict[str, Rule] = field(default_factory=dict[str, Rule])
    known: bool = False

    def of(self, key: str) -> Rule:
        """What the server says of a rule; nothing for one that it does not list, such as an external linter's."""
        return self.by_key.get(key, NO_RULE)

    def learn(self, organization: Mapping[str, str]) -> Generator[Ask, Page, None]:
        """Asks for all of them, page by page, unless that was done."""
        if self.known:
            return
        found: dict[str, Rule] = {}
        seen, page, total = 0, 1, None
        while total is None or seen < total:
            query = {"types": TYPES, "statuses": EVERY_STATUS, "p": page, "ps": 100, **organization}
            answer = yield Ask("api/rules/search", query, bare=True)
            total = steady_total(total, whole_number(dig(answer.body, "paging.total")))
            told = rows(answer.body, "rules")
            if not told and seen < total:
                raise Incomplete(f"The server has {total} rules and lists {seen}.")
            found |= {identifier(row, "key"): rule_of(row) for row in told}
            seen, page = seen + len(told), page + 1
        if seen != total:
            raise Incomplete(f"The server has {total} rules and lists {seen}.")
        self.by_key, self.known = found, True


def rule_of(row: Row) -> Rule:
    """A rule from its sections (since 9.5), else from its one description in HTML or Markdown."""
    sections = objects(row.get("descriptionSections"))
    if not sections:
        told = text(row.get("htmlDesc")) or text(row.get("mdDesc"))
        return Rule(cut(told), {}, cwes(told), links(told))
    about: list[str] = []
    fixes: dict[str, str] = {}
    for section in sections:
        key, content = section["key"], text(section["content"])
        if key == _FIX:
            fixes.setdefault(text(section.get("context.key")), cut(content))
        elif key != _LINKS:
            about.append(content)
    everything = "\n".join(text(section["content"]) for section in sections)
    return Rule(cut("\n\n".join(about)), fixes, cwes(everything), links(everything))


def cut(told: str) -> str:
    """As much of a text as is kept."""
    return told if len(told) <= LONGEST else f"{told[:LONGEST]} […]"


def cwes(told: str) -> tuple[int, ...]:
    """The numbers of the weaknesses that a text names, each once."""
    return tuple(dict.fromkeys(int(number) for number in re.findall(r"CWE-(\d{1,6})", told)))


def links(told: str) -> tuple[str, ...]:
    """The web addresses that a text in HTML or Markdown leads to, each once."""
    found = re.findall(r"""href\s*=\s*["']([^"']+)["']|\]\((https?://[^\s)]+)\)""", told)
    addresses = (html.unescape(in_html or in_markdown) for in_html, in_markdown in found)
    return tuple(dict.fromkeys(link for link in addresses if link.startswith(("https://", "http://"))))
