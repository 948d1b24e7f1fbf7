"""What a configuration file manages, as the commands say it where a thing is shown, or changed by hand."""

from __future__ import annotations

from tidegate.cli.terminal import note


def managed(source: str | None) -> tuple[str, str]:
    """The line of `show`; nothing where no file manages it."""
    return "managed by", "" if source is None else f"{source}; change it there"


def note_managed(what: str, source: str | None) -> None:
    """Said after a change by hand, so that nobody wonders later where it went."""
    if source is not None:
        note(f"{what} is managed by {source}: the next apply sets back what differs from it.")
