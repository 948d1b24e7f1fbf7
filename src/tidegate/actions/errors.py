"""What a person may not or cannot do, as a sentence and the next step."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """Nothing was done. `sentence` names the thing and says why, `next_step` says what the person can do; `fields` has
    a sentence by field, where single fields of what was entered are to blame."""

    def __init__(self, sentence: str, next_step: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{sentence} {next_step}")
        self.sentence = sentence
        self.next_step = next_step
        self.fields = dict(fields or {})


class NotThere(Refused):
    """There is no such thing, or not for this person."""


class Forbidden(Refused):
    """The thing may be seen and this may not be done to it; or it is of the whole house."""
