"""The supervisor, with parts that behave as a test says: real processes and real signals.

What it promises is item 1 of issue 4: restarts a part that dies, stops cleanly within a grace time, outlived by nobody.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.server.homes import all_processes, wait_for, words_of
from tests.server.processes import Program
from tidegate.server.part import MEND

HERE = Path(__file__).parent
READY = ["ready"]


def up(parts: dict[str, Sequence[str]], grace: float = 5.0, inherits: bool = False, **environment: str) -> Program:
    """A supervisor of stand-ins."""
    words = {name: [sys.executable, str(HERE / "stand_in.py"), *does] for name, does in parts.items()}
    asked = json.dumps({"parts": words, "grace": grace, "inherits": inherits})
    return Program(sys.executable, HERE / "run_up.py", asked, environment=environment)


def pid_of(program: Program, part: str) -> int:
    """The latest process of a part, as it said itself."""
    program.until(f"{part} ")
    return int(re.findall(rf"^{part} +\| pid (\d+)$", program.said, re.MULTILINE)[-1])


def lives(process: int) -> bool:
    return bool(words_of(process))


# From start to end


def test_the_first_part_goes_ahead_and_the_others_follow():
    with up({"web": READY, "scheduler": READY, "worker": READY}) as program:
        said = program.until("All is up.").splitlines()

        assert next(line.split()[0] for line in said if "| pid" in line) == "web"
        assert program.end() == 0


def test_no_other_part_starts_before_the_first_is_ready():
    with up({"web": ["begin"], "worker": READY}) as program:
        pid_of(program, "web")
        time.sleep(0.5)

        assert "worker" not in program.said
        assert program.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_stop_it_lets_every_part_leave_in_order_and_ends_well(number: signal.Signals):
    """Promise: `tidegate up` stops cleanly on SIGTERM and Ctrl-C within a grace time."""
    with up({"web": READY, "worker": READY}) as program:
        program.until("All is up.")
        family = program.family()

        assert program.end(number) == 0

        assert program.said.count("leaving in order") == 2
        assert len(family) == 3
        assert not any(map(lives, family))


def test_told_to_stop_while_it_starts_it_ends_well():
    with up({"web": [], "worker": READY}) as program:
        pid_of(program, "web")

        assert program.end() == 0
        assert "leaving in order" not in program.said


def test_a_part_that_does_not_leave_is_killed_when_the_grace_is_over():
    with up({"web": READY, "worker": ["ready", "stubborn"]}, grace=1.0) as program:
        program.until("All is up.")
        family, began = program.family(), time.monotonic()

        assert program.end() == 0

        assert time.monotonic() - began >= 1.0
        assert "After 1 s worker had not ended, and was killed" in program.said
        assert not any(map(lives, family))


def test_a_second_ctrl_c_ends_it_at_once():
    with up({"web": READY, "worker": ["ready", "stubborn"]}, grace=60.0) as program:
        program.until("All is up.")
        family = program.family()
        program.tell(signal.SIGINT)
        program.until("Stopping")
        time.sleep(1.2)

        assert program.end(signal.SIGINT, seconds=50) == 130  # before the grace is over
        assert not any(map(lives, family))


def test_one_ctrl_c_that_is_handed_on_twice_is_one():
    with up({"web": READY}) as program:
        program.until("All is up.")

        program.tell(signal.SIGINT)

        assert program.end(signal.SIGINT) == 0
        assert "leaving in order" in program.said


def test_killed_it_leaves_no_process_behind():
    """Promise: the parts must not live on; a pipe that ends with the supervisor tells them."""
    with up({"web": READY, "worker": ["ready", "stubborn"], "scheduler": ["begin", "flood"]}) as program:
        program.until("worker")
        program.until("scheduler")
        wait_for(lambda: len(program.family()) == 4, "all parts run")
        family = program.family()

        program.end(signal.SIGKILL)

        # The stubborn one has a second of grace (stand_in.py) in which it does not listen.
        wait_for(lambda: not any(map(lives, family)), "no part is left")


# Parts that die


def test_a_part_that_is_killed_is_started_again():
    """Promise: restarts a part that dies."""
    with up({"web": READY, "worker": READY}) as program:
        program.until("All is up.")
        first = pid_of(program, "worker")

        os.kill(first, signal.SIGKILL)

        program.until("worker was killed by SIGKILL; it starts again in 0.5 s.")
        program.until("worker is back.")
        assert pid_of(program, "worker") != first
        assert program.said.count("All is up.") == 1
        assert program.end() == 0


def test_a_part_that_dies_again_and_again_is_started_after_longer_and_longer_pauses():
    with up({"web": ["exit=1"]}) as program:
        for pause in ("0.5", "1", "2"):
            program.until(f"web ended with code 1; it starts again in {pause} s.")

        assert program.end() == 0


def test_what_dies_while_it_starts_is_no_reason_to_end(tmp_path: Path):
    with up({"web": [f"exit-unless={tmp_path / 'once'}", *READY]}) as program:
        program.until("All is up.")

        assert program.end() == 0


def test_what_a_person_must_mend_stops_everything_with_its_own_sentence():
    with up({"web": READY, "worker": ["say=The sky is down. Next: lift it.", f"exit={MEND}"]}) as program:
        assert program.code() == MEND

        assert "worker | The sky is down. Next: lift it." in program.said
        assert "Tidegate did not start: worker says above why not" in program.said
        assert "starts again" not in program.said
        assert not program.family()


def test_what_was_ready_once_is_tried_again_even_if_a_person_may_be_needed(tmp_path: Path):
    """The disk was full for a night; whoever emptied it in the morning need not start Tidegate as well."""
    with up({"web": ["ready", "exit=78"]}) as program:
        program.until("web ended with code 78; it starts again")

        assert not program.ended
        assert program.end() == 0


def test_a_part_that_cannot_even_be_started_is_tried_again():
    asked = json.dumps({"parts": {"web": ["/nowhere/python"]}, "grace": 1})
    with Program(sys.executable, HERE / "run_up.py", asked) as program:
        program.until("web could not be started (No such file or directory); it starts again in 0.5 s.")

        assert program.end() == 0


def test_as_first_process_of_a_container_it_takes_the_ends_of_what_others_left():
    with up({"web": ["ready", "leave-an-orphan"]}, inherits=True) as program:
        orphan = int(re.findall(r"orphan (\d+)", program.until("orphan "))[0])

        wait_for(lambda: orphan not in all_processes(), "the orphan is gone, and no zombie of it is left")
        assert program.end() == 0


# Who is told


@pytest.fixture
def systemd(tmp_path: Path):
    """What systemd would hear."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(60)
        yield ear


def test_systemd_hears_that_all_is_up_and_that_it_stops(systemd: socket.socket):
    with up({"web": READY, "worker": READY}, NOTIFY_SOCKET=systemd.getsockname()) as program:
        assert systemd.recv(4096) == b"READY=1\nSTATUS=All is up."
        program.tell(signal.SIGTERM)

        assert systemd.recv(4096) == b"STOPPING=1"
        assert program.code() == 0


def test_systemd_hears_what_is_wrong(systemd: socket.socket):
    with up({"web": ["exit=1"]}, NOTIFY_SOCKET=systemd.getsockname()):
        assert systemd.recv(4096) == b"STATUS=web ended with code 1; it starts again in 0.5 s."


def test_only_a_part_itself_can_say_that_it_is_ready():
    with up({"web": ["begin", "speak-for-another", "say=it has spoken"], "worker": READY}) as program:
        program.until("it has spoken")
        time.sleep(0.3)

        assert "All is up." not in program.said
        assert program.end() == 0


# What is shown


def test_each_line_says_whose_it_is_and_structured_log_stays_as_it_is():
    line = '{"event": "hello", "part": "web"}'
    with up({"web": [f"say={line}", "say=hello", *READY], "scheduler": READY}) as program:
        said = program.until("All is up.").splitlines()

        assert line in said
        assert "web       | hello" in said
        assert program.end() == 0


def test_nothing_that_a_part_says_moves_the_cursor():
    clear = b"\x1b[2J\x07 and \xff\r\n".hex()
    with up({"web": [f"say-bytes={clear}", *READY]}) as program:
        program.until("All is up.")

        assert "\x1b" not in program.said
        assert (
            "web | \N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER} and \N{REPLACEMENT CHARACTER}\n"
            in program.said
        )
        assert program.end() == 0


def test_a_line_without_an_end_is_shown_in_pieces_and_not_kept():
    with up({"web": ["say-many=70000", *READY]}) as program:
        program.until("All is up.")

        assert program.said.count("y") >= 65_536
        assert program.end() == 0


def test_a_terminal_that_nobody_reads_stops_nothing():
    """Ctrl-S, or a pipe into something that hangs: the parts go on, and the end still comes when it is asked for."""
    with up({"web": ["ready", "flood"]}) as program:
        time.sleep(2)  # some 64 KB are full by now, and more is said
        program.tell(signal.SIGTERM)

        wait_for(lambda: program.ended, "it has ended, though nobody reads")

        assert program.process.returncode == 0


def test_a_terminal_that_is_gone_stops_nothing():
    with up({"web": ["ready", "flood"], "worker": READY}) as program:
        wait_for(lambda: len(program.family()) == 3, "all parts run")
        program.stream.close()
        time.sleep(0.5)

        assert program.process.poll() is None
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(60) == 0


# What it is made of


def test_it_stands_on_the_standard_library_alone():
    """Promise: the supervisor is standard library only, so that it does not fall with what the parts import."""
    code = "import sys, tidegate.server.up; print(*sys.modules)"

    run = subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True)

    loaded = {name.split(".")[0] for name in run.stdout.split()}
    installed_at_start = {
        "__editable__",
        "_virtualenv",
        "distutils-precedence",
        "coverage",
        "sitecustomize",
        "usercustomize",
    }
    foreign = {name for name in loaded - sys.stdlib_module_names - installed_at_start if not name.startswith("_")}
    assert foreign == {"tidegate"}


def test_what_lies_in_the_folder_it_is_started_in_is_not_run(tmp_path: Path):
    tmp_path.joinpath("selectors.py").write_text("raise SystemExit('the wrong selectors')")
    code = "from tidegate.server.up import replace_this_process; replace_this_process('--help')"

    run = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert "usage: tidegate up" in run.stdout
