"""`./dev bench report`: docs/reference/speed.md and its picture, from the figures that `all --write` has kept.

No check of the docs measures anew; tests/test_speed.py holds the page to the kept figures, and to the bars of the code.
"""

from __future__ import annotations

import json
import math
import os
import platform
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.figure import (
    BARS,
    DELIVERY_ROW,
    DISCOVER_ROW,
    EXPORT_ROW,
    FIRST_ROW,
    FLAT_ROW,
    LISTS_ROW,
    REMAP_ROW,
    ROWS,
    SCALE_ROW,
    SHARED_ROW,
    START_ROW,
    STOCK_ROW,
    TOOLS_ROW,
    WHOLE_ROW,
    Figure,
    in_short,
    say,
    told,
)

REFERENCE: Final = Path(__file__).resolve().parents[1] / "docs" / "reference"
KEPT, PAGE, PICTURE = REFERENCE / "speed.json", REFERENCE / "speed.md", REFERENCE / "speed.svg"
HEAD: Final = (
    "<!-- Made by bench/report.py. To measure anew: ./dev bench all --write; to write it anew: ./dev bench report -->"
)
LINES: Final = ("first import", "1 % changed, 1 % gone", "unchanged", "bare COPY")
COLOURS: Final = (("#b45309", "#fbbf24"), ("#7c3aed", "#c4b5fd"), ("#0f766e", "#5eead4"), ("#57606a", "#9aa4af"))
"""Of the lines, on light and on dark."""

TEXT: Final = Path(__file__).with_name("speed.txt")


def main(_given: list[str]) -> int:
    if not KEPT.exists():
        say(f"Nothing was measured yet: {KEPT.name} is not there. Run: ./dev bench all --write")
        return 1
    write(json.loads(KEPT.read_text("utf-8")))
    return 0


def keep(found: dict[str, list[dict[str, Any]]]) -> None:
    """Keeps what was measured, beside what other benches measured on the same machine, and writes the page."""
    before = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    here = machine()
    works = before.get("works", {}) if before.get("machine") == here else {}
    today = datetime.now(UTC).date().isoformat()
    works |= {name: {"on": today, "figures": figures} for name, figures in found.items()}
    measured = {"machine": here, "works": works}
    KEPT.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", "utf-8")
    write(measured)


def write(measured: dict[str, Any]) -> None:
    PAGE.write_text(page(measured), "utf-8")
    PICTURE.write_text(picture(figures_of(measured, "growth")), "utf-8")
    say(f"docs/reference/{PAGE.name} and {PICTURE.name} are written.")


def figures_of(measured: dict[str, Any], *names: str) -> list[Figure]:
    works = measured["works"]
    return [Figure.of(figure) for name in names or works for figure in works.get(name, {"figures": []})["figures"]]


def machine() -> dict[str, str]:
    """What it ran on, without a name of it."""
    from bench.house import open_house

    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as folder, open_house(Path(folder), say) as house:
        version = str(house.ask("SHOW server_version")[0][0]).split()[0]
        memory = str(house.ask("SHOW shared_buffers")[0][0])
        disk = disk_kind(Path(folder))
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{gigabytes:.0f} GB",
        "disk": disk,
        "PostgreSQL": f"{version}, embedded, with the settings Tidegate writes: fsync and synchronous_commit on,"
        f" shared_buffers {memory}",
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
    }


def disk_kind(folder: Path) -> str:
    device = folder.stat().st_dev
    place = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    for known in (place / "queue" / "rotational", place / ".." / "queue" / "rotational"):
        if known.exists():
            return "turns" if known.read_text().strip() == "1" else "solid state, or what says so"
    return "not told by the system"


# The page


INTRODUCTION: Final = """\
What `./dev bench` measured, for each row of the table of promises. A bar is a ratio to a limit that was measured in the
same run, since machines differ: a bare `COPY` of the same rows into an unlogged table without an index, or a bare
`msgspec` decode of the same bytes. The best of several rounds counts, in which all works take their turns; of memory
the worst."""

BESIDE: Final = {
    FIRST_ROW: "ingest",
    STOCK_ROW: "stock",
    FLAT_ROW: "flat",
    WHOLE_ROW: "whole",
    TOOLS_ROW: "tools",
    DISCOVER_ROW: "discover",
    SHARED_ROW: "shared",
    LISTS_ROW: "lists",
    EXPORT_ROW: "exports",
    DELIVERY_ROW: "deliveries",
    REMAP_ROW: "remap",
    START_ROW: "start",
    SCALE_ROW: "scale",
}
"""The bench whose other figures are told with a row, such as the limit that was measured."""


def page(measured: dict[str, Any]) -> str:
    figures = [f for name in measured["works"] if name not in ("growth", "profile") for f in figures_of(measured, name)]
    judged = [figure for figure in figures if figure.bar]
    missed = [figure for figure in judged if not figure.kept]
    days = sorted({work["on"] for work in measured["works"].values()})
    when = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    verdict = "Every bar is kept." if not missed else f"{len(missed)} of {len(judged)} bars are missed."
    parts = [HEAD, "", "# Speed and size", "", INTRODUCTION, "", f"Measured {when}. {verdict}", ""]
    parts += [*table(("machine", ""), [(name, value) for name, value in measured["machine"].items()]), ""]
    for row in ROWS:
        parts += [f"## {row[0].upper()}{row[1:]}", "", *row_of(row, measured), ""]
    parts += ["## How cost grows", "", "![Microseconds a finding, from 10,000 to 2,000,000](speed.svg)", ""]
    parts += [*growth_table(figures_of(measured, "growth")), "", "## Where the time goes", ""]
    parts += [*profile_table(figures_of(measured, "profile")), "", TEXT.read_text("utf-8").strip(), ""]
    return "\n".join(parts)


def row_of(row: str, measured: dict[str, Any]) -> Iterable[str]:
    """The figures that are held to a bar of this row, and what the same bench told beside them."""
    its = {bar for bar, asked in BARS.items() if asked.row == row}
    rows: list[tuple[str, ...]] = []
    for name in measured["works"]:
        if name in ("growth", "profile"):
            continue
        beside = BESIDE.get(row) == name
        rows += [cells(f) for f in figures_of(measured, name) if f.bar in its or (beside and not f.bar)]
    if not rows:
        return ["Not measured yet."]
    return table(("work", "findings", "seconds", "findings/s", "measured", "bar", "kept"), rows)


def cells(figure: Figure) -> tuple[str, ...]:
    """As on the terminal; a bar that is missed is to be seen."""
    *others, kept = figure.as_cells()
    return (*others, "**no**" if kept == "NO" else kept)


def growth_table(figures: Sequence[Figure]) -> Iterable[str]:
    sizes = sorted({figure.findings for figure in figures})
    words = [*LINES, "peak memory"]
    rows: list[tuple[str, ...]] = []
    for size in sizes:
        of_size = [figure for figure in figures if figure.findings == size]
        rows.append((f"{size:,}", *(next((told(f) for f in of_size if f.what.startswith(word)), "") for word in words)))
    return table(("findings", *words), rows)


def profile_table(figures: Sequence[Figure]) -> Iterable[str]:
    return table(("work and stage", "measured"), [(figure.what, told(figure)) for figure in figures])


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    line = lambda given: "| " + " | ".join(str(each).replace("|", "\\|") for each in given) + " |"  # noqa: E731
    return [line(heads), "|" + "---|" * len(heads), *map(line, rows)]


# The picture: cost of a finding over how many there are, both on scales where a step is a factor

WIDE, HIGH = 480, 380
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 66, 46


def picture(figures: Sequence[Figure]) -> str:
    """An SVG that is readable at 320 pixels, on light and on dark, and says its numbers in words as well."""
    lines = {word: sorted((f.findings, f.value) for f in figures if f.what == word and f.findings) for word in LINES}
    sizes = sorted({size for points in lines.values() for size, _ in points})
    values = [value for points in lines.values() for _, value in points]
    if len(sizes) < 2:
        return svg("Not measured yet.", "", [])
    low, high = floor_of(min(values)), max(values) * 1.15

    def x(size: float) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])

    def y(value: float) -> float:
        return HIGH - BOTTOM - (HIGH - TOP - BOTTOM) * math.log(value / low) / math.log(high / low)

    drawn: list[str] = []
    for value in ticks(low, high):
        drawn.append(f'<path class="grid" d="M{LEFT} {y(value):.1f}H{WIDE - RIGHT}"/>')
        drawn.append(f'<text class="end" x="{LEFT - 8}" y="{y(value) + 5:.1f}">{value:g}</text>')
    for size in sizes:
        if str(size)[0] != "3":
            middle = "end" if size == sizes[-1] else "middle"
            drawn.append(f'<text class="{middle}" x="{x(size):.1f}" y="{HIGH - BOTTOM + 22}">{short(size)}</text>')
        drawn.append(f'<path class="grid" d="M{x(size):.1f} {HIGH - BOTTOM}v6"/>')
    drawn.append(f'<text x="{LEFT}" y="{HIGH - 6}">findings of one Record</text>')
    for number, (word, points) in enumerate(lines.items()):
        path = " ".join(f"{'L' if at else 'M'}{x(size):.1f} {y(value):.1f}" for at, (size, value) in enumerate(points))
        drawn.append(f'<path class="line l{number}" d="{path}"/>')
        drawn += [f'<circle class="dot d{number}" cx="{x(s):.1f}" cy="{y(v):.1f}" r="4"/>' for s, v in points]
        at_x, at_y = LEFT + (number % 2) * 216, 40 + 20 * (number // 2) - 2
        drawn.append(f'<circle class="dot d{number}" cx="{at_x + 5}" cy="{at_y - 5}" r="5"/>')
        drawn.append(f'<text x="{at_x + 16}" y="{at_y}">{word}</text>')
    summary = "; ".join(
        f"{word} {in_short(points[0][1])} at {points[0][0]:,} and {in_short(points[-1][1])} at {points[-1][0]:,}"
        for word, points in lines.items()
        if points
    )
    return svg("Microseconds a finding", f"Microseconds a finding: {summary}.", drawn)


def svg(title: str, summary: str, drawn: Sequence[str]) -> str:
    def inks(dark: bool) -> str:
        return "".join(f".l{n}{{stroke:{pair[dark]}}}.d{n}{{fill:{pair[dark]}}}" for n, pair in enumerate(COLOURS))

    style = (
        "svg{background:#fff}text{font:15px system-ui,sans-serif;fill:#1f2328}.head{font-weight:600}"
        ".end{text-anchor:end}.middle{text-anchor:middle}.grid{stroke:#d0d7de}.line{fill:none;stroke-width:2.5}"
        f"{inks(False)}@media(prefers-color-scheme:dark){{svg{{background:#0d1117}}text{{fill:#e6edf3}}"
        f".grid{{stroke:#30363d}}{inks(True)}}}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" role="img">',
            f"<title>{title}</title><desc>{summary}</desc>",
            f"<style>{style}</style>",
            f'<text class="head" x="{LEFT}" y="16">{title}</text>',
            *drawn,
            "</svg>",
            "",
        ]
    )


def floor_of(value: float) -> float:
    return max(tick for tick in (0.5, 1, 2, 5, 10) if tick <= value) if value >= 0.5 else value


def ticks(low: float, high: float) -> list[float]:
    return [tick for tick in (0.5, 1, 2, 5, 10, 20, 50, 100, 200) if low <= tick <= high]


def short(size: int) -> str:
    return f"{size / 1_000_000:g} m" if size >= 1_000_000 else f"{size / 1_000:g},000"
