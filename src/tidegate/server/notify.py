"""Telling whoever started us how far we are, in the words of systemd's sd_notify: `tidegate up` and systemd hear alike.

Standard library only: the supervisor speaks it too.
"""

import contextlib
import os
import socket

SOCKET = "NOTIFY_SOCKET"
SECONDS_TO_BE_HEARD = 1.0


def tell(**words: str) -> None:
    """Say READY="1", STATUS="…", STOPPING="1" to the one who listens, if anybody does. Never raises."""
    address = os.environ.get(SOCKET, "")
    if not address.startswith(("/", "@")):
        return
    message = "\n".join(f"{name}={' '.join(value.splitlines())}" for name, value in words.items())
    # Who listened may be gone by now; that is theirs to know.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as said:
        said.settimeout(SECONDS_TO_BE_HEARD)
        said.sendto(message.encode(), f"\0{address[1:]}" if address.startswith("@") else address)


def heard(message: bytes) -> dict[str, str]:
    """The words of a message; what is none is left out."""
    lines = message.decode(errors="replace").splitlines()
    return {name: value for name, equals, value in (line.partition("=") for line in lines) if equals}
