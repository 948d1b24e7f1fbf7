"""What Operations do that lies in a room above ingest: whoever runs them says so before it runs the first."""

from __future__ import annotations

from tidegate.delivery.defectdojo.deliver import run_deliver
from tidegate.ingest.operation import WORKS


def know_all_works() -> None:
    """Deliveries can be run in this process from now on."""
    WORKS["deliver"] = run_deliver
