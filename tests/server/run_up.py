"""Runs the supervisor with parts of a test's choosing, in a process that can be killed."""

import ctypes
import json
import os
import sys

from tidegate.server.up import Command, Supervisor

PR_SET_CHILD_SUBREAPER = 36

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    if asked.get("inherits"):  # as the first process of a container does
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    os.write(2, b"begun\n")
    commands = [Command(name, words) for name, words in asked["parts"].items()]
    sys.exit(Supervisor(commands, grace=asked["grace"], welcome=["All is up.", "Stop it with Ctrl-C."]).run())
