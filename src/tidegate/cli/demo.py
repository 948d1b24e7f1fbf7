"""`tidegate demo`: tells the story in a home of its own, so that no real data is ever touched."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.failure import Failure
from tidegate.cli.option import Json, alone
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import note, print_json, say, table

if TYPE_CHECKING:
    from tidegate.demo.story import End

app = alone()

MARK = "this-home-is-a-demo"


@app.command("demo")
def demo(
    once: Annotated[bool, typer.Option("--once", help="Leave when the story is told, instead of staying up.")] = False,
    json: Json = False,
) -> None:
    """Watch the whole story, from an empty folder, in two minutes.

    A Burp with four sites and a folder of real reports are connected, discovered, mapped and synced. Then life happens:
    a site is renamed, one is deleted, a Product goes away, an issue is fixed, and the vendor answers half a page. Each
    step says what happened, and why.

    It has a home and a database of its own and begins afresh each time; your data is never touched.
    """
    from tidegate.demo.scan import scanners_are_there

    scanners_are_there()
    tell = (lambda text: None) if json else _tell
    with home_of_the_demo() as home:
        tell(f"The demo lives in {home}, with a database of its own.")
        with ready(quiet=json):
            _told(home, tell, once=once, json=json)


def _told(home: Path, tell: Callable[[str], None], *, once: bool, json: bool) -> None:
    from tidegate.demo.fake_burp import FakeBurp
    from tidegate.demo.story import Story, begin_afresh

    begin_afresh()
    with FakeBurp() as burp:
        end = Story(burp, home / "demo", tell, me()).run()
        if json:
            print_json(end)
        else:
            _show(end)
        if not once:
            _stay_up(home, burp.control_url)


@contextmanager
def home_of_the_demo() -> Iterator[Path]:
    """The folder to play in, marked and locked, and the only one that this process knows from here on."""
    from tidegate.config import load_settings

    home = _chosen(load_settings().home, given=bool(os.environ.get("TIDEGATE_HOME")))
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / MARK).open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(
                f"A demo is running in {home} already.", "Look there, or stop it with Ctrl-C and try again."
            ) from None
        for name in ("TIDEGATE_DATABASE_URL", "TIDEGATE_SECRET_KEY", "TIDEGATE_SECRET_KEY_COMMAND"):
            os.environ.pop(name, None)
        os.environ |= {"TIDEGATE_HOME": str(home), "TIDEGATE_PRIVATE_NETWORKS": "allow"}
        yield home


def _chosen(home: Path, *, given: bool) -> Path:
    """TIDEGATE_HOME where it is empty or a demo's; else a folder beside the default home. Never a home with data."""
    import platformdirs

    beside = platformdirs.user_data_path("tidegate").with_name("tidegate-demo").absolute()
    for place in (home, beside) if given else (beside,):
        if not place.exists() or (place / MARK).exists() or not any(place.iterdir()):
            return place
    raise Failure(
        f"{beside} holds something that is no demo, so the demo does not begin there.",
        "Set TIDEGATE_HOME to an empty folder, then try again.",
    )


def _tell(text: str) -> None:
    say(text, lines=True)


def _show(end: End) -> None:
    say()
    say("How it ended")
    rows = [
        (str(row.id), row.name, row.connection, row.state, row.badge, row.product or "", f"{row.findings.active:,}")
        for row in end.records
    ]
    table(("#", "RECORD", "CONNECTION", "STATE", "BADGE", "PRODUCT", "ACTIVE#"), rows, empty="")
    say()
    products = [(row.name, f"{row.findings.active:,}", f"{row.findings.inactive:,}") for row in end.products]
    table(("PRODUCT", "ACTIVE#", "INACTIVE#"), products, empty="")


def _stay_up(home: Path, control_url: str) -> None:
    """Until Ctrl-C: the fake Burp answers, the database runs, and other terminals can look."""
    import signal
    import threading

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as process 1 of a container there would be none
    note("")
    note("Everything is still up. In another terminal:")
    note("")
    note(f"    export TIDEGATE_HOME={_quoted(home)}")
    for command in (
        "record list",
        "record show 'Storefront API'",
        "finding list --severity high",
        "operation list",
        "sync Burp",
    ):
        note(f"    tidegate {command}")
    note("")
    note(f'The fake Burp does as told: curl -d \'{{"site": "Online store"}}\' {control_url}fix_issue')
    note("Ctrl-C ends the demo.")
    threading.Event().wait()


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
