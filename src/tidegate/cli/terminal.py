"""What a person sees: tables, facts, progress and JSON. Vendor text is made harmless before it is printed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


class Progress(Protocol):
    """Told how far a run is: what it does, how much is done, of how much where that is known, and what else there is
    to say."""

    def __call__(self, phase: str, done: int, total: int | None, beside: str = "") -> None: ...


# A whole escape sequence goes; what is left of C0, C1, DEL, surrogates, line separators, and the characters that turn
# the direction of a line around or hide in it, is shown as a replacement character.
_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?|\x9b[0-?]*[ -/]*[@-~]"
)
_UNSEEN = "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff"
_DANGEROUS = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_UNSEEN}]")
_IN_JSON = re.compile(rf"[\x7f-\x9f{_UNSEEN}]")


GAP = 2
NARROWEST = 20
QUIET_SECONDS = 10
SELDOM_SECONDS = 30


def clean(text: str, *, lines: bool = False) -> str:
    """Text of any origin as a terminal may see it; on one line unless `lines`."""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    text = _DANGEROUS.sub("\N{REPLACEMENT CHARACTER}", _ESCAPE.sub("", text))
    return text if lines else " ".join(text.split("\n"))


def say(text: str = "", *, lines: bool = False) -> None:
    """One line, or with `lines` a text, to stdout."""
    print(clean(text, lines=lines))


def note(text: str) -> None:
    """One line beside the answer: to stderr, so that a pipe gets the answer alone."""
    print(clean(text), file=sys.stderr, flush=True)


def print_json(answer: Any) -> None:
    """An answer for a script."""
    print(json_text(answer))


def json_text(answer: Any) -> str:
    """JSON that is safe to look at: control and direction characters are escaped, letters are not."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(_without_surrogates(msgspec.to_builtins(answer)))).decode()
    return _IN_JSON.sub(_escaped, text)


def console(stream: IO[str] | None = None) -> Console:
    """Rich without markup, emoji and guesses: what stands in a text is text. Made anew, since streams are exchanged."""
    from rich.console import Console

    made = Console(file=stream or sys.stdout, markup=False, highlight=False, emoji=False, soft_wrap=False)
    made.width = max(made.width, NARROWEST)
    return made


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """A table, or the sentence that says why there is none and what to do. Numbers (a column ending in #) go right.

    Where not even the heads have room beside each other, each row is told downwards.
    """
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    if not rows:
        say(empty)
        return
    if sum(len(column.rstrip("#")) + GAP for column in columns) > console().width:
        _downwards(columns, rows)
        return
    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    for column in columns:
        numeric = column.endswith("#")
        drawn.add_column(
            _head(column), justify="right" if numeric else "left", overflow="fold", min_width=len(_head(column))
        )
    for row in rows:
        drawn.add_row(*(Text(clean(cell)) for cell in row))
    _draw(drawn)


def _head(column: str) -> str:
    return column if column == "#" else column.rstrip("#")


def _downwards(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate(rows):
        if number:
            say()
        facts([(_head(column), clean(cell)) for column, cell in zip(columns, row, strict=True)])


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Name and value, one a line; a pair without a value is left out."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
    drawn.add_column(no_wrap=True, style="dim")
    drawn.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            drawn.add_row(Text(name), Text(clean(value, lines=True)))
    _draw(drawn)


def _draw(drawn: Table) -> None:
    """To a terminal as Rich draws it; elsewhere without the blanks that Rich fills lines with."""
    if sys.stdout.isatty():
        console().print(drawn)
        return
    written = StringIO()
    console(written).print(drawn)
    print("\n".join(line.rstrip() for line in written.getvalue().splitlines()))


def heading(text: str) -> None:
    """The line above a part of an answer."""
    from rich.text import Text

    console().print(Text(f"\n{clean(text)}", style="bold"))


def plain(value: Any) -> str:
    """A value of a tool's settings or attributes, as one would type it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    return str(value)


def moment(at: datetime | None) -> str:
    """A time as people here read it."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


@contextmanager
def progressing(*, quiet: bool) -> Iterator[Progress]:
    """A bar on a terminal; elsewhere a line now and then, once it takes long; nothing where a script reads."""
    if quiet:
        yield lambda phase, done, total, beside="": None
    elif sys.stderr.isatty():
        with _bar() as progress:
            yield progress
    else:
        yield _seldom()


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich import progress as rich_progress
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), TextColumn("{task.fields[counted]}"))
    with rich_progress.Progress(*columns, TimeElapsedColumn(), console=console(sys.stderr), transient=True) as drawn:
        task = drawn.add_task("", total=None, counted="")

        def progress(phase: str, done: int, total: int | None, beside: str = "") -> None:
            counted = _counted(done, total, beside)
            drawn.update(task, description=clean(phase), completed=done, total=total, counted=counted)

        yield progress


def _seldom(clock: Callable[[], float] = monotonic) -> Progress:
    next_at = clock() + QUIET_SECONDS

    def progress(phase: str, done: int, total: int | None, beside: str = "") -> None:
        nonlocal next_at
        if clock() >= next_at:
            next_at = clock() + SELDOM_SECONDS
            note(" ".join(filter(None, (f"{phase} …", _counted(done, total, beside) if done or total else beside))))

    return progress


def _counted(done: int, total: int | None, beside: str) -> str:
    return ", ".join(filter(None, (f"{done:,}" if total is None else f"{done:,} of {total:,}", beside)))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isascii() else value
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value


def _escaped(found: re.Match[str]) -> str:
    point = ord(found[0])
    if point < 0x10000:
        return f"\\u{point:04x}"
    high, low = divmod(point - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
