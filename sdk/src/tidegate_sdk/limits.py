"""How much of anything a Session takes from a vendor before it stops."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one Session. Times are seconds, sizes are bytes after decompression."""

    connect: float = 10
    read: float = 60
    """The longest silence between two pieces of an answer."""
    page_seconds: float = 180
    """For one page from the question to its last byte, so that one byte a second ends."""
    stream_seconds: float = 3600
    page_bytes: int = 16 * 2**20
    stream_bytes: int = 2**30
    """For one body on disk: an export, a report."""

    tries: int = 5
    """How often one question is asked."""
    retries: float = 100
    """What a Session may spend on repeating questions; an answer earns a tenth back."""
    back_off: float = 1
    longest_back_off: float = 60
    longest_wait: float = 300
    """For one Wait of a walk, and for what a vendor may ask for with Retry-After."""
    redirects: int = 5

    pages: int = 100_000
    """Steps of one walk."""
    questions: int = 1_000
    """Steps of one talk."""
    batch: int = 1_000
    """Rows handed over at once."""
    entries: int = 100_000
    """In one listing of a folder."""
