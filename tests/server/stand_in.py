"""A part that does what the test says, one word after the other: what a supervisor meets on its good and bad days."""

import os
import signal
import subprocess
import sys
import time

from tidegate.server.notify import tell
from tidegate.server.part import being_part


def main() -> None:
    with being_part(grace=1.0) as part:
        print(f"pid {os.getpid()}", flush=True)
        for word in sys.argv[1:]:
            what, _, value = word.partition("=")
            match what:
                case "begin":
                    part.begin()
                case "ready":
                    part.begin()
                    part.ready()
                case "say":
                    print(value, flush=True)
                case "say-bytes":
                    os.write(1, bytes.fromhex(value))
                case "say-many":
                    os.write(1, b"y" * int(value))
                case "exit":
                    os._exit(int(value))
                case "exit-unless":  # the first time this file is not there yet
                    try:
                        os.close(os.open(value, os.O_CREAT | os.O_EXCL))
                    except FileExistsError:
                        continue
                    os._exit(1)
                case "speak-for-another":  # a process that is no part says that it is ready
                    subprocess.run([sys.executable, "-c", SAY_READY], check=True)
                case "leave-an-orphan":
                    subprocess.run(["/bin/sh", "-c", "sleep 0.3 & echo orphan $!"], check=True)
                case "stubborn":
                    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
                    time.sleep(600)
                case "flood":
                    while not part.stop.is_set():
                        print("x" * 200, flush=True)
                case _:
                    raise AssertionError(word)
        part.stop.wait()
        print("leaving in order", flush=True)


SAY_READY = "from tidegate.server.notify import tell; tell(READY='1')"

if __name__ == "__main__":
    main()
    tell(STATUS="Gone.")
