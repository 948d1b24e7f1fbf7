"""The demo is the whole story, from an empty folder: it tells the truth, ends as promised and destroys no real home."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.database import database, migrated_database
from tests.spot import folder_for_a_home
from tidegate.cli.answer import answers
from tidegate.server.postgres import Database

__all__ = ["database", "migrated_database"]

PROGRAM = Path(sys.executable).with_name("tidegate")

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("demo")]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    return {**kept, "TIDEGATE_HOME": str(home), "XDG_DATA_HOME": str(home.parent / "data"), **more}


def demo(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [PROGRAM, "demo", *arguments]
    return subprocess.run(command, env=environment(home, **more), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def home() -> Path:
    return folder_for_a_home() / "an empty home"


@pytest.fixture(scope="module")
def told(home: Path) -> subprocess.CompletedProcess[str]:
    """The story as a newcomer sees it; settings of a real installation are there and must not be touched."""
    begin = time.monotonic()
    run = demo(home, "--once", TIDEGATE_DATABASE_URL="postgresql://real@127.0.0.1:9/real", TIDEGATE_SECRET_KEY="x")
    assert run.returncode == 0, run.stdout + run.stderr
    assert time.monotonic() - begin < 120
    return run


def test_each_step_says_what_happened_and_why(told: subprocess.CompletedProcess[str]):
    for sentence in (
        "4 new",
        "Ignored by ",
        "Mapped automatically to «Vulnerable shop»",
        "bandit and ruff have really scanned",
        "Storefront is called Online store now",
        "Missing since",
        "saw all 3 sites and not this one",
        "the Product «Partner portal» that it wrote to was deleted",
        "it is no longer reported.",
        "119 open before, 119 open after",
    ):
        assert sentence in told.stdout, sentence


def test_it_begins_afresh_and_prints_only_the_end_state(told: Any, home: Path):
    run = demo(home, "--once", "--json")

    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    end = json.loads(run.stdout)
    shapes = {name: set(answers()["demo"].__struct_fields__) for name in ("demo",)}
    assert end.keys() == shapes["demo"] == {"records", "products", "operations"}
    assert {row["name"]: (row["connection"], row["state"], row["product"]) for row in end["records"]} == {
        "Online store": ("Burp", "Good", "Web shop"),
        "Storefront API": ("Burp", "Missing", "Web shop"),
        "Partner Portal": ("Burp", "Stale", None),
        "Legacy Intranet": ("Burp", "Ignored", None),
        "Vulnerable shop": ("Reports", "Good", "Vulnerable shop"),
    }
    assert all(row["why"] and row["id"] for row in end["records"])
    found = {row["name"]: row["findings"] for row in end["products"]}
    assert found["Web shop"]["active"] + found["Web shop"]["inactive"] == 138
    assert found["Vulnerable shop"]["active"] > 10
    # By when they were asked for: mapping asks for the first Sync, which a person joined after both Discovers.
    assert [(row["type"], row["status"]) for row in end["operations"]] == [
        ("discover", "success"),
        ("sync", "success"),
        ("discover", "success"),
        ("sync", "success"),
        ("discover", "success"),
        ("discover", "success"),
        ("sync", "success"),
        ("sync", "partial"),
    ]


def test_a_home_with_data_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from tidegate.cli.demo import home_of_the_demo

    real = tmp_path / "real"
    real.mkdir()
    (real / "secret.key").write_text("precious")
    for name, value in environment(real).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TIDEGATE_DATABASE_URL", "postgresql://real/real")

    with home_of_the_demo() as home:
        assert home == tmp_path / "data" / "tidegate-demo"
        assert os.environ["TIDEGATE_HOME"] == str(home)
        assert "TIDEGATE_DATABASE_URL" not in os.environ

    assert [path.name for path in real.iterdir()] == ["secret.key"]


REAL: dict[str, list[tuple[str, str]]] = {
    "another label": [("Our Burp", "http://127.0.0.1:1/")],
    "another address": [("Burp", "https://burp.example.org/")],
    "a third one": [("Burp", "http://127.0.0.1:1/"), ("Reports", ""), ("Mine", "")],
}


@pytest.mark.parametrize("real", REAL)
def test_a_home_that_went_on_to_real_data_after_a_demo_is_not_emptied(database: Database, real: str):
    """Whoever looked at the demo in their own empty home and then stayed there must not lose it to a second demo."""
    from tests import world
    from tidegate.demo.scan import StoryBroken
    from tidegate.demo.story import begin_afresh
    from tidegate.store.models import Connection

    for label, url in REAL[real]:
        world.connection(label, settings={"url": url})

    with pytest.raises(StoryBroken, match="holds more than a demo") as refused:
        begin_afresh()

    assert Connection.objects.count() == len(REAL[real])
    assert "TIDEGATE_HOME" in refused.value.next_step


def test_what_a_story_left_is_emptied(database: Database):
    from tests import world
    from tidegate.demo.story import begin_afresh
    from tidegate.store.models import Connection

    world.connection("Burp", settings={"url": "http://127.0.0.1:40001/"})
    world.connection("Reports", tool="report_folder")

    begin_afresh()

    assert not Connection.objects.exists()


def test_a_folder_that_is_no_demo_is_refused(tmp_path: Path):
    for place in (tmp_path / "real", tmp_path / "data" / "tidegate-demo"):
        place.mkdir(parents=True)
        (place / "precious").write_text("x")

    run = demo(tmp_path / "real", "--once")

    assert run.returncode == 1
    assert "Set TIDEGATE_HOME to an empty folder" in run.stderr


def test_it_stays_up_says_where_to_look_and_ends_with_ctrl_c(told: Any, home: Path):
    # Whoever runs the tests in the background (`&`, nohup) hands down that Ctrl-C is ignored.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heed}; from tidegate.cli import main; main(['demo'])"]
    run = subprocess.Popen(
        command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert run.stderr is not None
    try:
        said = ""
        for line in run.stderr:
            said += line
            if "Ctrl-C" in line:
                break
        again = demo(home, "--once")
        other = subprocess.run(
            [PROGRAM, "sync", "Burp", "--json"], env=environment(home), capture_output=True, text=True, check=False
        )
    finally:
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)

    assert f"export TIDEGATE_HOME='{home}'" in said
    assert (again.returncode, "running" in again.stderr) == (1, True)
    assert other.returncode == 0, other.stderr
    assert run.returncode == 130


def test_a_missing_scanner_is_said_before_anything_begins(tmp_path: Path):
    hide = "import sys; sys.modules['bandit'] = None; from tidegate.cli import main; main(['demo', '--once'])"

    run = subprocess.run(
        [sys.executable, "-c", hide], env=environment(tmp_path / "home"), capture_output=True, text=True, check=False
    )

    assert run.returncode == 1
    assert "bandit" in run.stderr
    assert "pip install 'tidegate[demo]'" in run.stderr
    assert not (tmp_path / "home").exists()


def test_a_claim_that_does_not_come_true_stops_the_story():
    from tidegate.demo.scan import StoryBroken
    from tidegate.demo.story import Story

    with pytest.raises(StoryBroken, match="about to show four New Records"):
        Story._holds(None, False, "four New Records", [])  # pyright: ignore[reportArgumentType]
