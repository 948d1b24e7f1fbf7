"""Sessions of people who logged in with a browser."""

from __future__ import annotations

from tidegate.store.writers.user import forget_sessions


def forget_ended_sessions() -> int:
    """Lets go of sessions that have ended by themselves; how many there were."""
    return forget_sessions()
