"""`tidegate migrate defectdojo`: what a DefectDojo imported by API is taken over, with what people there decided.

A fake DefectDojo and a fake SonarQube on loopback; what the importer leaves is what DefectDojo's source says
(demo/fake_defectdojo/sonarqube.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_guide import commands
from tests.cli.test_json import has_shape
from tidegate.cli.answer import answers
from tidegate.demo.fake_defectdojo import sonarqube
from tidegate.demo.fake_defectdojo.importing import note
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.demo.fake_sonarqube import FakeSonarQube

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "from-defectdojo.md"
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=90)
SECRET = "SonarQube prod=env:SONAR_TOKEN"


class House:
    """The two servers, and which finding there is which issue."""

    def __init__(self, dojo: FakeDefectDojo, sonar: FakeSonarQube) -> None:
        self.dojo, self.sonar, world = dojo, sonar, sonar.world
        world.add_project("shop", "Web shop")
        world.add_project("api", "Orders API")
        issues = world.raise_issues("shop", 7)
        hotspot = world.raise_hotspot("shop")
        shown = [world.found(key) for key in (*issues, hotspot)]
        theirs = dojo.world
        self.configuration = sonarqube.tool_configuration(theirs, "SonarQube prod", f"{sonar.url}api")
        self.shop = sonarqube.product(theirs, "Web shop")
        orders = sonarqube.product(theirs, "Orders", "Backend")
        sonarqube.scan_configuration(theirs, self.shop["id"], self.configuration["id"], "shop")
        sonarqube.scan_configuration(theirs, orders["id"], self.configuration["id"], "api")
        cobalt = sonarqube.tool_configuration(theirs, "Pentests", "", tool_type="Cobalt.io")
        sonarqube.scan_configuration(theirs, orders["id"], cobalt["id"], "asset-1")
        rows = sonarqube.imported(theirs, self.shop["id"], shown)
        self.false, self.accepted, self.scoped, self.plain, self.gone, *sure, self.hotspot = rows
        for one in sure:
            one.update(verified=True)
        self.triage()

    def triage(self) -> None:
        admin = next(iter(self.dojo.world.rows["users"].values()))
        self.false.update(
            false_p=True, active=False, is_mitigated=True, last_reviewed="2026-03-04T10:00:00Z", last_reviewed_by=1
        )
        note(self.dojo.world, admin, self.false, "The input is a constant.")
        acceptance = {"name": "Until the rewrite", "accepted_by": "Bob", "expiration_date": LATER.isoformat(),
                      "decision_details": "Behind the gate."}  # fmt: skip
        self.accepted.update(risk_accepted=True, active=False, accepted_risks=[acceptance])
        note(self.dojo.world, admin, self.plain, "Ada Lovelace (admin) (1) has risk accepted this finding")
        self.scoped.update(out_of_scope=True, active=False, is_mitigated=True)
        self.hotspot.update(verified=True, tags=["payments"])
        self.gone.update(false_p=True, active=False, is_mitigated=True)
        self.sonar.world.purge(self.gone["unique_id_from_tool"])


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with FakeDefectDojo() as dojo, FakeSonarQube() as sonar:
        monkeypatch.setenv("DEFECTDOJO_TOKEN", dojo.token)
        monkeypatch.setenv("SONAR_TOKEN", sonar.token)
        yield House(dojo, sonar)


def command(house: House, *more: str) -> tuple[str, ...]:
    return ("migrate", "defectdojo", house.dojo.url, "--token", "env:DEFECTDOJO_TOKEN", *more)


def guided(house: House) -> Iterator[tuple[str, ...]]:
    """The commands of the guide, one after the other."""
    for program, *arguments in commands(GUIDE):
        assert program == "tidegate"
        yield (*(one.replace("https://defectdojo.example.org", house.dojo.url) for one in arguments), "--json")


def written(house: House) -> set[str]:
    return {question.request.method for question in house.dojo.asked} - {"GET"}


def test_the_plan_is_shown_then_done_and_done_again_changes_nothing_as_the_guide_says(tidegate: Any, house: House):
    look, do, do_again = guided(house)
    shown = tidegate(*look)

    assert shown.code == 4
    plan = shown.json
    assert has_shape(plan, answers()["migrate defectdojo"])
    assert [(one["id"], one["label"], one["url"]) for one in plan["connections"]] == [
        (None, "SonarQube prod", house.sonar.url)
    ]
    assert [(one["vendor_id"], one["product"], one["product_type"], one["standing"]) for one in plan["records"]] == [
        ("shop", "Web shop", "Research and Development", "unseen"),
        ("api", "Orders", "Backend", "unseen"),
    ]
    assert (plan["decided"], plan["adopted"], plan["waiting"]) == (7, 0, 7)
    assert [one["what"] for one in plan["left"]] == ["tool configuration «Pentests»", "asset «asset-1» of «Orders»"]
    assert tidegate.json("connection", "list")["connections"] == []
    assert "the0key0that0nobody0shows" not in shown.out

    done = tidegate(*do)

    assert done.code == 0, done.err + done.out
    took = done.json
    assert (took["adopted"], took["waiting"], took["complete"]) == (6, 0, True)
    assert {one["standing"] for one in took["records"]} == {"mapped"}
    assert [one["what"].split(",")[0] for one in took["left"][2:]] == [f"finding {house.gone['id']}"]
    assert house.sonar.token not in done.out + done.err

    decided = {
        one["key"]: {each["field"]: each for each in tidegate.json("finding", "show", one["id"])["decisions"]}
        for one in found(tidegate)
    }
    false = decided[house.false["unique_id_from_tool"]]
    assert false["verdict"]["value"] == "false positive"
    assert "reviewed last by admin on 2026-03-04" in false["note"]["value"]
    assert "admin: The input is a constant." in false["note"]["value"]
    accepted = decided[house.accepted["unique_id_from_tool"]]
    assert accepted["verdict"]["value"] == "accepted"
    assert datetime.fromisoformat(accepted["verdict"]["until"]) == LATER
    assert "«Until the rewrite» by Bob" in accepted["note"]["value"]
    assert decided[house.scoped["unique_id_from_tool"]]["verdict"]["value"] == "out of scope"
    hotspot = decided[house.hotspot["unique_id_from_tool"].removeprefix("hotspot:")]
    assert {"verified", "tags"} <= hotspot.keys()
    assert decided[house.plain["unique_id_from_tool"]] == {}

    again = tidegate(*do_again)

    assert again.code == 0, again.err
    assert (again.json["adopted"], again.json["unchanged"]) == (0, 6)
    assert tidegate(*command(house)).code == 0
    assert written(house) == set()


def found(tidegate: Any) -> list[dict[str, Any]]:
    return tidegate.json("finding", "list")["findings"]


def test_what_was_broken_off_goes_on_and_a_decision_made_here_stays(tidegate: Any, house: House):
    house.sonar.control.strike("login page", "vulnerabilities", times=None)
    broken = tidegate(*command(house, "--apply", "--secret", SECRET, "--json"))
    assert (broken.code, broken.json["complete"]) == (3, False)
    house.sonar.control.calm()
    tidegate.json("sync", "SonarQube prod")
    key = house.false["unique_id_from_tool"]
    own = next(one["id"] for one in found(tidegate) if one["key"] == key)
    tidegate.json("finding", "decide", own, "--verdict", "real")

    went_on = tidegate(*command(house, "--apply", "--json"))

    assert went_on.code == 0, went_on.err + went_on.out
    assert len(tidegate.json("connection", "list")["connections"]) == 1
    assert any("decided otherwise already (verdict)" in one["why"] for one in went_on.json["left"])
    decisions = tidegate.json("finding", "show", own)["decisions"]
    assert next(each["value"] for each in decisions if each["field"] == "verdict") == "real"


def test_what_a_person_decided_about_a_record_here_stays(tidegate: Any, house: House):
    added = tidegate(
        "connection", "add", "sonarqube", "--label", "Ours", "--set", f"url={house.sonar.url}", "--secret",
        "token=env:SONAR_TOKEN",
    )  # fmt: skip
    assert added.code == 0, added.err
    tidegate.json("record", "ignore", "Web shop")

    done = tidegate(*command(house, "--apply", "--json"))

    assert [(one["connection"], one["standing"]) for one in done.json["records"]] == [
        ("Ours", "decided otherwise"),
        ("Ours", "mapped"),
    ]


def test_refusals_say_what_to_do_and_change_nothing(tidegate: Any, house: House, monkeypatch: pytest.MonkeyPatch):
    def refused(*arguments: str) -> str:
        ran = tidegate(*arguments, "--json")
        assert ran.code in (1, 2), ran.out
        return f"{ran.error['what']} {ran.error['next_step']}"

    assert "--secret 'SonarQube prod=env:VARIABLE'" in refused(*command(house, "--apply"))
    assert "The plan has no Connection «Nobody»" in refused(*command(house, "--secret", "Nobody=env:SONAR_TOKEN"))
    assert "can be read by others" in refused(*command(house, "--apply", "--secret", f"SonarQube prod={'x' * 8}"))
    assert "token of DefectDojo is missing" in refused("migrate", "defectdojo", house.dojo.url)
    assert "token" in refused("migrate", "defectdojo", house.dojo.url, "--token", "env:SONAR_TOKEN")
    assert "URL" in refused("migrate", "defectdojo", "ftp://x", "--token", "env:DEFECTDOJO_TOKEN")
    house.dojo.world.add_user("carol", "carols0token")
    monkeypatch.setenv("CAROLS", "carols0token")
    assert "Give the token's user the right" in refused(
        "migrate", "defectdojo", house.dojo.url, "--token", "env:CAROLS"
    )
    house.dojo.world.version = "3.5.0"
    assert "took its API importers away" in refused(*command(house))

    assert tidegate.json("connection", "list")["connections"] == []


def test_a_tool_that_lets_nobody_in_stops_nothing_else(tidegate: Any, house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SONAR_TOKEN", "wrong0token")

    ran = tidegate(*command(house, "--apply", "--secret", SECRET, "--json"))

    assert (ran.code, ran.json["connections"][0]["id"], ran.json["complete"]) == (3, None, False)
    assert ran.json["connections"][0]["sentence"] != ""
    assert "wrong0token" not in ran.out + ran.err


def test_somebody_at_the_keyboard_is_asked_for_what_is_secret(
    tidegate: Any, house: House, monkeypatch: pytest.MonkeyPatch
):
    typed = iter([house.dojo.token, house.sonar.token])
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: next(typed))

    ran = tidegate("migrate", "defectdojo", house.dojo.url, "--apply", keyboard=True)

    assert ran.code == 0, ran.err
    assert "does not show how it logged in" in ran.err
    assert "6 were taken over" in ran.out
    assert house.sonar.token not in ran.out + ran.err
