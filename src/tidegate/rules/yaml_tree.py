"""YAML as a tree of texts that still knows its lines: bounded, without anchors, tags, or a key that is said twice.

A scalar stays what was written, until whoever reads it says what it must be: so 12:30 is a time and no number of
seconds, and `no` may be a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

import yaml  # pyright: ignore[reportMissingModuleSource]

MOST_LETTERS: Final = 10_000_000
MOST_NODES: Final = 1_000_000
DEEPEST: Final = 20

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})


class YamlRefused(ValueError):
    """The text is no YAML that is read here: on which line, why, and what to do."""

    def __init__(self, line: int, sentence: str, next_step: str) -> None:
        super().__init__(f"Line {line}: {sentence} {next_step}")
        self.line = line
        self.sentence = sentence
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class Text:
    """What stands there; `plain` without quotes, where an empty one, `~` and `null` mean nothing."""

    line: int
    text: str
    plain: bool = True

    @property
    def nothing(self) -> bool:
        return self.plain and self.text in _NOTHING


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    line: int
    items: list[Node] = field(default_factory=list["Node"])


@dataclass(frozen=True, slots=True)
class Fields:
    """Names, each with what stands behind it."""

    line: int
    entries: dict[str, Node] = field(default_factory=dict[str, "Node"])
    lines: dict[str, int] = field(default_factory=dict[str, int])


Node = Text | Items | Fields


def tree(text: str) -> Node:
    """The one document of this text. Raises YamlRefused."""
    if len(text) > MOST_LETTERS:
        raise YamlRefused(1, f"The file has more than {MOST_LETTERS:,} characters.", "Divide it into several.")
    _refuse_what_is_no_letter(text)
    try:
        return _built(cast("Iterator[Any]", yaml.parse(text, Loader=_LOADER)))  # pyright: ignore[reportUnknownMemberType]
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        line = mark.line + 1 if mark else 1
        raise YamlRefused(line, f"This is no YAML: {broken.problem or broken.context}.", "Mend it there.") from None
    except yaml.YAMLError:
        raise YamlRefused(1, "This is no YAML.", "Save it as text in UTF-8.") from None


@dataclass
class _Open:
    """A list or fields whose end has not come yet; `key` waits for what it names."""

    node: Items | Fields
    key: Text | None = None


def _built(events: Iterator[Any]) -> Node:
    """The tree, without recursion: what is too deep or too much is refused as soon as it is."""
    root: Node | None = None
    stack: list[_Open] = []
    nodes = 0
    for event in events:
        kind, line = type(event).__name__, event.start_mark.line + 1
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            stack.pop()
        if kind == "DocumentStartEvent" and root is not None:
            raise YamlRefused(line, "The file holds more than one document.", "Take away the line ---.")
        if kind not in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent", "AliasEvent"):
            continue
        nodes += 1
        node = _node(kind, event, line)
        if len(stack) >= DEEPEST or nodes > MOST_NODES:
            raise YamlRefused(line, "The file is nested too deep or says too much.", "Divide it into several.")
        if stack:
            _put(stack[-1], node)
        else:
            root = node
        if not isinstance(node, Text):
            stack.append(_Open(node))
    if root is None:
        raise YamlRefused(1, "The file is empty.", "See how one looks: tidegate export")
    return root


def _node(kind: str, event: Any, line: int) -> Node:
    if kind == "AliasEvent" or event.anchor is not None:
        raise YamlRefused(line, "Anchors and aliases (& and *) are not read here.", "Write it out.")
    if event.tag is not None:
        raise YamlRefused(line, f"Tags such as {str(event.tag)[:40]} are not read here.", "Take it away.")
    if kind == "ScalarEvent":
        return Text(line, event.value, plain=not event.style)
    return Fields(line) if kind == "MappingStartEvent" else Items(line)


def _put(where: _Open, node: Node) -> None:
    if isinstance(where.node, Items):
        where.node.items.append(node)
    elif where.key is not None:
        where.node.entries[where.key.text] = node
        where.key = None
    elif not isinstance(node, Text):
        raise YamlRefused(node.line, "A name is a list or has names itself.", "Names are words.")
    elif node.text in where.node.entries:
        before = where.node.lines[node.text]
        raise YamlRefused(node.line, f"«{node.text[:80]}» stands on line {before} already.", "Say it once.")
    else:
        where.node.lines[node.text] = node.line
        where.key = node


def _refuse_what_is_no_letter(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as broken:
        line = text.count("\n", 0, broken.start) + 1
        raise YamlRefused(line, "There is a character that is none.", "Save the file in UTF-8.") from None
