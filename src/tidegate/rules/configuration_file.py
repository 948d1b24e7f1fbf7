"""A configuration file as it is read: its text to typed values, and all that is wrong with it at once.

Every field is taken once; what nobody took is told, with what may have been meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal, cast

from tidegate.rules.access import ROLES, Role
from tidegate.rules.branch import KEEP, MOST_DAYS
from tidegate.rules.configuration import (
    JOINS,
    KINDS,
    MOST_WRITES,
    OF_KIND,
    SECTIONS,
    SEVERITIES,
    SOURCES,
    VERSION,
    Configuration,
    ConfigurationRefused,
    Connection,
    ConnectionRules,
    ConnectionSchedule,
    Destination,
    GrantSaid,
    Notification,
    Problem,
    Product,
    ProductType,
    RecordMapping,
    Reference,
    Section,
    Source,
    Taken,
    Thing,
    User,
    shown,
)
from tidegate.rules.mapping import FIELDS, LONGEST_PATTERN, SYNTAXES, MappingRule, RuleRefused
from tidegate.rules.names import NameRefused, clean_name, clean_text
from tidegate.rules.news import KINDS as NEWS
from tidegate.rules.schedule import KINDS as SCHEDULES
from tidegate.rules.schedule import TYPES, WEEKDAYS, Schedule, ScheduleRefused, Type
from tidegate.rules.yaml_tree import Fields, Items, Node, Text, YamlRefused, tree

MOST_PROBLEMS: Final = 50
LONGEST_VENDOR_ID: Final = 4_000


def read(text: str) -> Configuration:
    """What the text of a file says. Raises ConfigurationRefused with everything that is wrong with it."""
    try:
        root = tree(text)
    except YamlRefused as refused:
        raise ConfigurationRefused([Problem(refused.line, "", refused.sentence, refused.next_step)]) from refused
    wrong = _Wrong()
    things, manages_all, sections = _whole(wrong, root)
    _refuse_what_is_said_twice(wrong, things)
    if wrong.found:
        raise ConfigurationRefused(sorted(wrong.found, key=lambda one: one.line)[:MOST_PROBLEMS])
    in_order = sorted(things, key=lambda one: KINDS.index(one.kind))
    return Configuration(tuple(in_order), frozenset(manages_all), frozenset(sections))


class _Wrong:
    """What was found wrong so far."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def __call__(self, line: int, path: str, sentence: str, next_step: str) -> None:
        self.found.append(Problem(line, path, sentence, next_step))


class _Part:
    """Fields as they are read: each is taken once, and what nobody took is wrong."""

    def __init__(self, wrong: _Wrong, node: Fields, path: str) -> None:
        self.wrong = wrong
        self.node = node
        self.path = path
        self.taken: list[str] = []

    @property
    def line(self) -> int:
        return self.node.line

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def line_of(self, name: str) -> int:
        return self.node.lines.get(name, self.line)

    def refuse(self, name: str, sentence: str, next_step: str) -> None:
        path = self.at(name) if name else self.path
        self.wrong(self.line_of(name) if name else self.line, path, sentence, next_step)

    def take(self, name: str) -> Node | None:
        self.taken.append(name)
        return self.node.entries.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self.node.entries

    def text(self, name: str, *, needed: bool = False) -> str | None:
        node = self.take(name)
        if node is None:
            if needed:
                self.refuse("", f"{name} is missing.", f"Add it: {name}: …")
            return None
        if not isinstance(node, Text) or node.nothing:
            self.refuse(name, "It has to be a text.", f"Write it as {name}: text, or leave it out.")
            return None
        return node.text

    def name(self, name: str, what: str, *, needed: bool = False) -> str | None:
        """A name as it is stored."""
        text = self.text(name, needed=needed)
        try:
            return None if text is None else clean_name(text, what)
        except NameRefused as refused:
            self.refuse(name, str(refused), "Write another.")
            return None

    def name_or_nothing(self, name: str, what: str) -> str | None:
        """The same, where `null` says that there is none; that is an empty name."""
        node = self.node.entries.get(name)
        if isinstance(node, Text) and (node.nothing or node.text == ""):
            self.take(name)
            return ""
        return self.name(name, what)

    def long_text(self, name: str, what: str, longest: int = 10_000) -> str | None:
        text = self.text(name)
        try:
            return None if text is None else clean_text(text, what, longest)
        except NameRefused as refused:
            self.refuse(name, str(refused), "Write another.")
            return None

    def flag(self, name: str) -> bool | None:
        text = self.text(name)
        if text is not None and text not in ("true", "false"):
            self.refuse(name, f"«{shown(text)}» is neither true nor false.", "Write true or false.")
        return None if text is None else text == "true"

    def number(self, name: str, least: int, most: int) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
        if not least <= value <= most:
            self.refuse(name, f"«{shown(text)}» cannot be used.", f"Write a number from {least} to {most:,}.")
            return None
        return value

    def word(self, name: str, words: Collection[str], *, needed: bool = False) -> str | None:
        """One of these words, whatever its capitals."""
        text = self.text(name, needed=needed)
        if text is None:
            return None
        for word in words:
            if text.casefold() == word.casefold():
                return word
        self.refuse(name, f"«{shown(text)}» is not known.", f"Choose one of: {', '.join(words)}.")
        return None

    def texts(self, name: str) -> list[tuple[str, str]] | None:
        """A list of texts, each with its path."""
        node = self.take(name)
        if node is None:
            return None
        if not isinstance(node, Items) or not all(isinstance(one, Text) for one in node.items):
            self.refuse(name, "It has to be a list of texts.", f"Write it as {name}: [one, another].")
            return None
        texts = [cast("Text", one).text for one in node.items]
        return [(f"{self.at(name)}[{number}]", text) for number, text in enumerate(texts)]

    def names(self, name: str, what: str) -> tuple[str, ...] | None:
        texts = self.texts(name)
        try:
            return None if texts is None else tuple(clean_name(text, what) for _, text in texts)
        except NameRefused as refused:
            self.refuse(name, str(refused), "Write another.")
            return None

    def part(self, name: str) -> _Part | None:
        """What has names itself."""
        node = self.take(name)
        if node is None:
            return None
        if not isinstance(node, Fields):
            self.refuse(name, "It has to have names itself.", "See: docs/guide/configuration.md")
            return None
        return _Part(self.wrong, node, self.at(name))

    def parts(self, name: str) -> Iterator[_Part]:
        """A list of what has names."""
        node = self.take(name)
        if node is None or (isinstance(node, Text) and node.nothing):
            return
        if not isinstance(node, Items):
            self.refuse(name, "It has to be a list.", f"Begin each of its {name} with a dash.")
            return
        for number, one in enumerate(node.items):
            path = f"{self.at(name)}[{number}]"
            if isinstance(one, Fields):
                yield _Part(self.wrong, one, path)
            else:
                self.wrong(one.line, path, "It has to have names.", "See: docs/guide/configuration.md")

    def plain(self, name: str) -> Any:
        """Whatever stands there, as a tool's settings take it: texts, lists and names."""
        node = self.take(name)
        return None if node is None else _plain(node)

    def end(self) -> None:
        for name in self.node.entries:
            if name not in self.taken:
                near = get_close_matches(name, self.taken, 1)
                meant = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(dict.fromkeys(self.taken))}."
                self.refuse(name, f"«{shown(name)}» is not known here.", meant)


def _plain(node: Node) -> Any:
    if isinstance(node, Text):
        return None if node.nothing else node.text
    if isinstance(node, Items):
        return [_plain(one) for one in node.items]
    return {name: _plain(one) for name, one in node.entries.items()}


def _whole(wrong: _Wrong, root: Node) -> tuple[list[Thing], list[Section], list[Section]]:
    if not isinstance(root, Fields):
        wrong(root.line, "", "This is no configuration.", "See how one looks: tidegate export")
        return [], [], []
    whole = _Part(wrong, root, "")
    version = whole.text("version", needed=True)
    if version not in (None, VERSION):
        whole.refuse("version", f"Version {shown(version)} is not read here.", f"Write version: {VERSION}.")
    manages_all: list[Section] = [
        section for _, text in whole.texts("manages_all") or () if (section := _section(whole, text)) is not None
    ]
    sections: list[Section] = [section for section in SECTIONS if section in whole]
    if "products" in manages_all:
        whole.refuse("manages_all", "Products hold findings: no file deletes them.", "Take products out of the list.")
    if loose := [section for section in manages_all if section not in sections]:
        whole.refuse(
            "manages_all",
            f"It names {loose[0]}, and the file has none.",
            f"Add {loose[0]}: [] if there are to be none.",
        )
    things: list[Thing] = [
        *_each(whole, "product_types", _product_type),
        *_each(whole, "products", _product),
        *(thing for part in whole.parts("connections") for thing in _connection(part)),
        *_each(whole, "notifications", _notification),
        *_each(whole, "destinations", _destination),
        *_each(whole, "users", _user),
    ]
    whole.end()
    return things, manages_all, sections


def _each(whole: _Part, section: Section, make: Any) -> Iterator[Thing]:
    for part in whole.parts(section):
        thing: Thing | None = make(part)
        part.end()
        if thing is not None:
            yield thing


def _section(whole: _Part, text: str) -> Section | None:
    for section in SECTIONS:
        if section == text:
            return section
    whole.refuse("manages_all", f"«{shown(text)}» is not known.", f"Choose from: {', '.join(SECTIONS)}.")
    return None


def _product_type(part: _Part) -> ProductType | None:
    name = part.name("name", "name of the Product Type", needed=True)
    return None if name is None else ProductType(name=name, line=part.line)


def _product(part: _Part) -> Product | None:
    name = part.name("name", "name of the Product", needed=True)
    kind = part.name("product_type", "name of the Product Type")
    tags = part.names("tags", "tag")
    if name is None:
        return None
    return Product(
        name=name, product_type=kind, tags=None if tags is None else tuple(sorted(set(tags))), line=part.line
    )


def _connection(part: _Part) -> Iterator[Thing]:
    label = part.name("label", "label", needed=True)
    tool = part.text("tool", needed=True)
    made = Connection(
        label=label or "",
        tool=tool or "",
        settings=_settings(part),
        secrets=_secrets(part),
        minimum_severity=part.word("minimum_severity", SEVERITIES),
        auto_map=part.flag("auto_map"),
        join_by_name=part.flag("join_by_name"),
        product_type=part.name_or_nothing("product_type", "name of the Product Type"),
        hold_above=part.number("hold_above", 0, 32_767),
        hold_percent=part.number("hold_percent", 1, 100),
        close_branches_after=part.number("close_branches_after", KEEP, MOST_DAYS),
        paused=part.flag("paused"),
        line=part.line,
        path=part.path,
    )
    beside = [*_schedules(part, made.label), *_rules(part, made.label), *_mappings(part, made.label)]
    part.end()
    if made.label:
        yield made
        yield from beside


def _settings(part: _Part) -> Mapping[str, Any] | None:
    fields = part.part("settings")
    return None if fields is None else {name: fields.plain(name) for name in fields.node.entries}


def _secrets(part: _Part) -> Mapping[str, Reference] | None:
    fields = part.part("secrets")
    if fields is None:
        return None
    found = {name: _reference(fields, name) for name in fields.node.entries}
    return {name: one for name, one in found.items() if one is not None}


def _reference(part: _Part, name: str) -> Reference | None:
    """Where a secret is. What stands there instead is repeated nowhere: it may be one."""
    node = part.take(name)
    if node is None:
        return None
    ways = "Say where it is: {env: NAME}, {file: /path} or {command: [program, argument]}."
    if not isinstance(node, Fields) or len(node.entries) != 1 or next(iter(node.entries)) not in SOURCES:
        part.refuse(name, "A secret never stands in the file itself.", ways)
        return None
    source: Source = next(one for one in SOURCES if one in node.entries)
    said = node.entries[source]
    if source == "command":
        words = [one.text for one in said.items if isinstance(one, Text)] if isinstance(said, Items) else []
        whole = isinstance(said, Items) and len(words) == len(said.items) and all("\0" not in word for word in words)
    else:
        words = [said.text] if isinstance(said, Text) and not said.nothing else []
        whole = bool(words) and "\0" not in words[0] and (source == "file" or "=" not in words[0])
    if not whole or not words or not words[0]:
        part.refuse(name, f"This is no {source} to find a secret in.", ways)
        return None
    return Reference(source, tuple(words), part.at(name), node.line)


def _schedules(part: _Part, label: str) -> Iterator[ConnectionSchedule]:
    both = part.part("schedules")
    if both is None:
        return
    for type in TYPES:
        if (one := both.part(type)) is not None:
            yield from _schedule(one, label, type)
            one.end()
    both.end()


def _schedule(part: _Part, label: str, type: Type) -> Iterator[ConnectionSchedule]:
    kind = part.word("kind", SCHEDULES, needed=True)
    day = part.word("weekday", WEEKDAYS)
    at = part.text("at")
    cron = part.text("cron")
    said: dict[str, Any] = {
        "at": f"0{at}" if at and at[1:2] == ":" else at,
        "weekday": None if day is None else WEEKDAYS.index(day),
        "hours": part.number("hours", 1, 24),
        "cron": None if cron is None else " ".join(cron.split()),
        "zone": part.text("zone"),
        "spread_minutes": part.number("spread_minutes", 0, 720),
    }
    if kind is None:
        return
    own = OF_KIND[kind]
    for name in ("at", "weekday", "hours", "cron"):
        if said[name] is not None and name not in own:
            part.refuse(name, f"A schedule of the kind {kind} has no {name}.", "Leave it out.")
        elif said[name] is None and name in own and name not in part:
            part.refuse("", f"A schedule of the kind {kind} needs {name}.", f"Add it: {name}: …")
    try:
        given = {name: value for name, value in said.items() if value is not None}
        Schedule(**cast("dict[str, Any]", {"kind": kind, **given}))
    except ScheduleRefused as refused:
        wrong = next((name for name in (*own, "zone") if said.get(name) is not None), "kind")
        wrong = "zone" if "zone" in refused.sentence and said["zone"] is not None else wrong
        part.refuse(wrong, refused.sentence, refused.next_step)
        return
    yield ConnectionSchedule(connection=label, type=type, runs=kind, line=part.line, **said)


def _rules(part: _Part, label: str) -> Iterator[ConnectionRules]:
    if "rules" not in part:
        part.take("rules")
        return
    rules = [rule for one in part.parts("rules") if (rule := _rule(one)) is not None]
    yield ConnectionRules(connection=label, rules=tuple(rules), line=part.line_of("rules"))


def _rule(part: _Part) -> MappingRule | None:
    pattern = part.long_text("pattern", "pattern", LONGEST_PATTERN)
    product = part.name("product", "name of the Product")
    template = part.name("template", "template")
    ignore = part.flag("ignore") or False
    attribute = part.text("attribute") or ""
    said: dict[str, Any] = {
        "field": part.word("field", FIELDS) or ("attribute" if attribute else "name"),
        "attribute": attribute,
        "syntax": part.word("syntax", SYNTAXES) or "glob",
        "case_matters": part.flag("case_matters") or False,
        "because": part.long_text("because", "reason") or "",
        "product_type": part.name("product_type", "name of the Product Type") or "",
        "tags": part.names("tags", "tag") or (),
    }
    answers = [answer for answer, given in (("product", product), ("template", template), ("ignore", ignore)) if given]
    part.end()
    if len(answers) != 1:
        part.refuse("", "It is not clear what the rule answers.", "Say one of product, template, or ignore: true.")
        return None
    try:
        return MappingRule(
            pattern=pattern or "",
            answer=cast("Literal['product', 'template', 'ignore']", answers[0]),
            product=product or "",
            template=template or "",
            **said,
        )
    except RuleRefused as refused:
        part.refuse("", refused.sentence, refused.next_step)
        return None


def _mappings(part: _Part, label: str) -> Iterator[RecordMapping]:
    for one in part.parts("mappings"):
        vendor_id = one.text("id", needed=True)
        product = one.name("product", "name of the Product")
        ignored = one.flag("ignore") or False
        because = one.long_text("because", "reason")
        one.end()
        if vendor_id is not None and ("\0" in vendor_id or len(vendor_id) > LONGEST_VENDOR_ID):
            one.refuse("id", "No Record has such an id.", "See those there are: tidegate mapping export")
        if bool(product) == ignored:
            one.refuse("", "It is not clear what becomes of it.", "Say product: NAME, or ignore: true.")
        elif because is not None and not ignored:
            one.refuse("because", "A reason says why something is ignored, and this is mapped.", "Leave it out.")
        elif vendor_id is not None:
            yield RecordMapping(
                connection=label,
                vendor_id=vendor_id,
                product=product or "",
                ignored=ignored,
                because=because,
                line=one.line,
            )


def _notification(part: _Part) -> Notification | None:
    name = part.name("name", "name", needed=True)
    kinds = [kind for path, text in part.texts("kinds") or () if (kind := _news(part, path, text)) is not None]
    made = Notification(
        name=name or "",
        address=_reference(part, "address"),
        kinds=tuple(kind for kind in NEWS if kind in kinds) if "kinds" in part else None,
        connection=part.name_or_nothing("connection", "label"),
        enabled=part.flag("enabled"),
        line=part.line,
    )
    return made if name else None


def _news(part: _Part, path: str, text: str) -> str | None:
    if text in NEWS:
        return text
    part.wrong(part.line_of("kinds"), path, f"«{shown(text)}» is not known.", f"Choose from: {', '.join(NEWS)}.")
    return None


def _destination(part: _Part) -> Destination | None:
    name = part.name("name", "name of the Destination", needed=True)
    made = Destination(
        name=name or "",
        settings=_settings(part),
        secrets=_secrets(part),
        product_type=part.name_or_nothing("product_type", "product type"),
        engagement_name=part.name("engagement_name", "name of the Engagement"),
        join_products=part.word("join_products", JOINS),
        writes_per_minute=part.number("writes_per_minute", 1, MOST_WRITES),
        enabled=part.flag("enabled"),
        takes=tuple(sorted(taken for one in part.parts("takes") if (taken := _taken(one)) is not None))
        if "takes" in part
        else None,
        line=part.line,
        path=part.path,
    )
    part.take("takes")
    return made if name else None


def _taken(part: _Part) -> Taken | None:
    named = {
        "connection": part.name("connection", "label"),
        "product type": part.name("product_type", "name of the Product Type"),
    }
    rest = part.flag("the_rest") or False
    part.end()
    found = [(scope, name) for scope, name in named.items() if name] + [("the rest", "")] * rest
    if len(found) != 1:
        part.refuse("", "It is not clear what goes there.", "Say one of connection, product_type, or the_rest: true.")
        return None
    return Taken(cast("Literal['connection', 'product type', 'the rest']", found[0][0]), found[0][1])


def _user(part: _Part) -> User | None:
    username = part.name("username", "name", needed=True)
    made = User(
        username=username or "",
        account=part.word("account", ("person", "service")),
        email=part.long_text("email", "address", 254),
        grants=tuple(sorted(grant for one in part.parts("grants") if (grant := _grant(one)) is not None))
        if "grants" in part
        else None,
        line=part.line,
    )
    part.take("grants")
    return made if username else None


def _grant(part: _Part) -> GrantSaid | None:
    role = part.word("role", ROLES, needed=True)
    named = {
        "product type": part.name("product_type", "name of the Product Type"),
        "product": part.name("product", "name of the Product"),
        "connection": part.name("connection", "label"),
    }
    everything = part.flag("everything") or False
    part.end()
    places = [(scope, name) for scope, name in named.items() if name] + [("everything", "")] * everything
    if len(places) != 1:
        part.refuse(
            "",
            "It is not clear what the role is for.",
            "Say one of product_type, product, connection, or everything: true.",
        )
        return None
    scope = cast("Literal['everything', 'product type', 'product', 'connection']", places[0][0])
    return None if role is None else GrantSaid(scope, places[0][1], cast("Role", role))


def _refuse_what_is_said_twice(wrong: _Wrong, things: list[Thing]) -> None:
    first: dict[tuple[str, tuple[str, ...]], int] = {}
    for thing in things:
        known = (thing.kind, thing.key)
        if known in first:
            wrong(thing.line, "", f"The {thing.told} stands on line {first[known]} already.", "Say it once.")
        first.setdefault(known, thing.line)
    taken: dict[Taken, Destination] = {}
    for one in (one for one in things if isinstance(one, Destination)):
        for route in one.takes or ():
            if route in taken:
                sentence = f"The {taken[route].told} takes {route} already."
                wrong(one.line, one.path, sentence, "One thing is delivered to one place.")
            taken.setdefault(route, one)
    for user in (one for one in things if isinstance(one, User)):
        places = [(grant.scope, grant.name) for grant in user.grants or ()]
        if len(set(places)) < len(places):
            wrong(user.line, "", f"The {user.told} has two roles for the same.", "Say the higher one alone.")
