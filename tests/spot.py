"""A short folder that every user can search: homes lie there, because their server runs as somebody else for root."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SPOT = "TIDEGATE_TEST_SPOT"
"""The variable that names the one of this run (conftest.py); its workers share it, and it goes with the run."""


def folder_for_a_home() -> Path:
    """A new folder below it. Elsewhere, below a closed folder, root's clusters would stay in /var/lib/tidegate."""
    folder = Path(tempfile.mkdtemp(dir=os.environ[SPOT]))
    folder.chmod(0o711)
    return folder
