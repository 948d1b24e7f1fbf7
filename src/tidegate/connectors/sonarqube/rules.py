"""The rules of the server: what each is about, how to fix it, and which weaknesses it names. Asked for once a run."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from tidegate_sdk import Ask, Incomplete, Page, Row, dig, identifier, steady_total
from tidegate_sdk.fields import cut, cwes, links_in, objects, rows, text, whole_number

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
        return Rule(cut(told, LONGEST), {}, cwes(told), links_in(told))
    about: list[str] = []
    fixes: dict[str, str] = {}
    for section in sections:
        key, content = section["key"], text(section["content"])
        if key == _FIX:
            fixes.setdefault(text(section.get("context.key")), cut(content, LONGEST))
        elif key != _LINKS:
            about.append(content)
    everything = "\n".join(text(section["content"]) for section in sections)
    return Rule(cut("\n\n".join(about), LONGEST), fixes, cwes(everything), links_in(everything))
