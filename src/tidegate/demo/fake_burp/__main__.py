"""`python -m tidegate.demo.fake_burp`: runs the fake until it is stopped, and prints where as one line of JSON."""

import argparse
import json
import signal
import sys
import threading

from tidegate.demo.fake_burp import FakeBurp


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tidegate.demo.fake_burp")
    parser.add_argument("--port", type=int, default=0, help="the vendor's port; 0 takes a free one")
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--seed", choices=("demo", "empty"), default="demo")
    parser.add_argument("--bulk", action="append", default=[], metavar="NAME=ISSUES", help="a site with so many issues")
    given = parser.parse_args()
    bulk = {name: int(issues) for name, _, issues in (text.rpartition("=") for text in given.bulk)}
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with FakeBurp(given.seed, bulk=bulk, port=given.port, control_port=given.control_port) as burp:
        print(json.dumps({"url": burp.url, "control_url": burp.control_url, "api_key": burp.api_key}), flush=True)
        stopped.wait()
    sys.exit(0)


if __name__ == "__main__":
    main()
