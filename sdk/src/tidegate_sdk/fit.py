"""Whether a value that a connector made is fit to be kept: every field holds what its type says."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, cast

import msgspec

from .ask import Branch
from .finding import Finding, Severity, Vep, Verdict


def _mirror(kind: type[Any], **stricter: Any) -> type[Any]:
    """A struct with the fields of another, into which msgspec converts, and checks, the values of that one."""
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)} | stricter
    return msgspec.defstruct(f"Fit{kind.__name__}", list(fields.items()))


_NAME = Annotated[str, msgspec.Meta(min_length=1)]
_TIME = Annotated[datetime, msgspec.Meta(tz=True)] | None
_FIT: dict[type[Any], type[Any]] = {Finding: _mirror(Finding, key=_NAME, found_at=_TIME), Vep: _mirror(Vep, id=_NAME)}


def check_fit(value: object) -> None:
    """msgspec checks types when it decodes, not when a connector builds a value: a null in a text would get through,
    and what cannot be written would stop an apply. Raises TypeError or ValueError, so that the row is odd."""
    if (fit := _FIT.get(type(value))) is None:
        if isinstance(value, Branch):
            _check_branch(value)
        return
    msgspec.convert(value, fit, from_attributes=True)
    if isinstance(value, Finding):  # convert() takes the words of both as well
        if type(value.severity) is not Severity:
            raise TypeError(f"its severity is {value.severity!r}")
        if value.verdict is not None and type(value.verdict) is not Verdict:
            raise TypeError(f"its verdict is {value.verdict!r}")
    elif isinstance(value, Vep):
        with suppress(UnicodeEncodeError):  # a lone surrogate can be replaced
            msgspec.json.encode(value.attributes)


def _check_branch(branch: Branch) -> None:
    name, main = cast("tuple[object, object]", (branch.name, branch.main))
    if not isinstance(name, str) or not name.strip():
        raise TypeError("a branch has no name")
    if not isinstance(main, bool):
        raise TypeError(f"whether {name} is the main branch is {main!r}")
