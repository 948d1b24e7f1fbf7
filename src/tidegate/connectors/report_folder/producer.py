"""Who wrote a report, as the name of a Family: the tool and what tells its reports apart."""

from __future__ import annotations

import re

from .identity import digest

_LONGEST = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_ENDINGS = re.compile(r"(?i)(\.(?:sarif|json|xml|cdx|vex|bom|sbom))+$")
_DATED = re.compile(
    r"[-_. ]*(?:(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:[T_ -]?\d\d[-:_.]?\d\d(?:[-:_.]?\d\d)?Z?)?|\d{6,})"
)


def family(tool: str, category: str = "") -> str:
    """`tool`, or `tool/category`. A name too long for a column keeps its beginning and a digest of the whole."""
    name = "/".join(part for part in (_clean(tool).replace("/", "-"), _clean(category)) if part)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 13]}~{digest(name)[:12]}"


def from_file(name: str) -> str:
    """What a file is called over and over: `scan-2026-05-01.json` and `scan-20260502.json` are both `scan`."""
    stem = _ENDINGS.sub("", name.rpartition("/")[2])
    return _DATED.sub("", stem) or stem


def _clean(value: str) -> str:
    return _CONTROL.sub(" ", value).strip()
