"""Whether a value that a connector made is fit to be kept: every field holds what its type says."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, cast

import msgspec

from .ask import Branch
from .finding import Finding, Severity, Vep, Verdict


def _mirror(kind: type[Any], *, bare: bool = False, **stricter: Any) -> type[Any]:
    """A struct with the fields of another, into which msgspec converts, and checks, the values of that one. `bare`:
    without their names, from a tuple of them."""
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)} | stricter
    return msgspec.defstruct(f"Fit{kind.__name__}", list(fields.items()), array_like=bare)


_NAME = Annotated[str, msgspec.Meta(min_length=1)]
_TIME = Annotated[datetime, msgspec.Meta(tz=True)] | None
_FINDING, _BARE = (_mirror(Finding, bare=bare, key=_NAME, found_at=_TIME) for bare in (False, True))
_VEP = _mirror(Vep, id=_NAME)
_convert, _values = msgspec.convert, msgspec.structs.astuple


def check_fit(value: object) -> None:
    """msgspec checks types when it decodes, not when a connector builds a value: a null in a text would get through,
    and what cannot be written would stop an apply. Raises TypeError or ValueError, so that the row is odd."""
    if type(value) is Finding:
        _check_finding(value)
    elif type(value) is Vep:
        _convert(value, _VEP, from_attributes=True)
        with suppress(UnicodeEncodeError):  # a lone surrogate can be replaced
            msgspec.json.encode(value.attributes)
    elif isinstance(value, Branch):
        _check_branch(value)


def _check_finding(value: Finding) -> None:
    try:
        _convert(_values(value), _BARE)  # half as dear as by their names (measured), which only the error needs
    except msgspec.ValidationError:
        _convert(value, _FINDING, from_attributes=True)
        raise
    if type(value.severity) is not Severity:  # convert() takes the words of both as well
        raise TypeError(f"its severity is {value.severity!r}")
    if value.verdict is not None and type(value.verdict) is not Verdict:
        raise TypeError(f"its verdict is {value.verdict!r}")


def _check_branch(branch: Branch) -> None:
    name, main = cast("tuple[object, object]", (branch.name, branch.main))
    if not isinstance(name, str) or not name.strip():
        raise TypeError("a branch has no name")
    if not isinstance(main, bool):
        raise TypeError(f"whether {name} is the main branch is {main!r}")
