"""The life of a Connection to SonarQube, through the real SQL: what the vendor does, and what is open here then."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.connectors.life import stored
from tests.ingest.scene import ALICE, Scene
from tidegate.connectors.sonarqube.connector import SonarQube, SonarQubeSettings
from tidegate.demo.fake import Question
from tidegate.demo.fake_sonarqube import FakeSonarQube
from tidegate_sdk import Severity

pytestmark = pytest.mark.usefixtures("database")
ACCEPTED = 2
"""How an accepted finding is stored."""


def connected(sonar: FakeSonarQube, **settings: Any) -> Scene:
    """A Connection whose Records are mapped by themselves, discovered and synced once."""
    from tidegate.actions.connection import add_connection

    entered = {"url": sonar.url, **settings}
    number = add_connection(
        ALICE, "sonarqube", "Sonar", entered, {"token": SecretStr(sonar.token)}, auto_map=True, discover=False
    )
    scene = Scene(None, number)  # pyright: ignore[reportArgumentType] - the world is the fake's
    scene.discover()
    scene.sync()
    return scene


def made(sonar: FakeSonarQube, **settings: Any) -> SonarQube:
    """The Tool alone, without a Connection."""
    return SonarQube(SonarQubeSettings(**{"url": sonar.url, "token": sonar.token, **settings}))


def shop(sonar: FakeSonarQube) -> dict[str, str]:
    """A project with one finding of each Family and two of vulnerabilities; gives their keys."""
    sonar.world.add_project("shop", "Shop", branches=("main", "release/1"))
    first, second = sonar.world.raise_issues("shop", 2)
    return {
        "first": first,
        "second": second,
        "hotspot": sonar.world.raise_hotspot("shop"),
        "risk": sonar.world.add_risk("shop"),
    }


def results_of(operation: Any) -> list[Any]:
    from tidegate.store.models import Result

    return list(Result.objects.filter(operation=operation))


def test_a_life(sonar: FakeSonarQube):
    """Issue 8: discover, sync, sync again writes nothing, every kind of change, a Family switched off, a product gone,
    healthy again; the end state equals the vendor's truth."""
    keys = shop(sonar)
    sonar.world.add_project("wiki", "Wiki")
    scene = connected(sonar)
    assert scene.open() == set(keys.values())

    before = stored()
    again = scene.sync()
    assert again.status == "success"
    assert stored() == before

    new = sonar.world.raise_issues("shop")[0]
    sonar.world.change_issue(keys["first"], impacts=[{"softwareQuality": "SECURITY", "severity": "LOW"}])
    sonar.world.fix(keys["second"])
    sonar.world.change_issue(keys["hotspot"], status="REVIEWED", resolution="ACKNOWLEDGED")
    sonar.world.purge(keys["risk"])
    scene.sync()
    found = scene.findings("shop")
    assert scene.open() == {keys["first"], keys["hotspot"], new}
    assert found[keys["first"]].severity == Severity.LOW.rank
    assert found[keys["hotspot"]].vendor_verdict == ACCEPTED
    assert not found[keys["hotspot"]].active
    assert {found[keys[name]].closed_because for name in ("second", "risk")} == {"fixed", "gone"}

    sonar.world.risks_enabled, sonar.world.hotspots_allowed = False, False
    sonar.world.change_issue(keys["second"], status="REOPENED", resolution=None, issueStatus="OPEN")
    partial = scene.sync()
    assert scene.open() == {keys["first"], keys["second"], keys["hotspot"], new}
    assert scene.result(partial, "shop", "hotspots").outcome == "skipped"
    assert scene.result(partial, "shop", "dependency risks").outcome == "skipped"

    sonar.world.delete_project("wiki")
    scene.discover()
    assert scene.record("wiki").absent_since is not None

    sonar.world.risks_enabled, sonar.world.hotspots_allowed = True, True
    sonar.world.add_project("wiki", "Wiki")
    last = sonar.world.add_risk("shop")
    scene.discover()
    assert scene.sync().status == "success"
    assert scene.record("wiki").absent_since is None
    assert scene.open() == {keys["first"], keys["second"], keys["hotspot"], new, last}


def test_a_right_that_is_lost_closes_nothing(sonar: FakeSonarQube):
    """promises.md: an empty answer because the token lost a right. A search for a project that one may not browse
    answers 200 with nothing."""
    keys = shop(sonar)
    scene = connected(sonar)
    sonar.world.show_only()

    scene.sync()

    assert scene.open() == set(keys.values())


def test_a_project_that_is_gone_between_the_list_and_its_fetch_closes_nothing(sonar: FakeSonarQube):
    keys = shop(sonar)
    scene = connected(sonar)
    sonar.world.delete_project("shop")

    scene.sync()

    assert scene.open() == set(keys.values())


def test_each_branch_has_a_state_of_its_own(sonar: FakeSonarQube):
    """records.md: state and proof are per Branch."""
    keys = shop(sonar)
    there = sonar.world.raise_issues("shop", 1, "release/1")[0]
    scene = connected(sonar, branches=["main", "release/*"])
    branches = {key: found.branch for key, found in scene.findings("shop").items()}
    assert branches == {**dict.fromkeys(keys.values(), ""), there: "release/1"}

    sonar.world.purge(there)
    scene.sync()

    assert scene.open() == set(keys.values())


def test_a_branch_that_vanished_keeps_its_findings(sonar: FakeSonarQube):
    """The search finds nothing for a branch that is not there, without an error (DefectDojo issue 11960)."""
    shop(sonar)
    there = sonar.world.raise_issues("shop", 1, "release/1")[0]
    scene = connected(sonar, branches=["main", "release/*"])
    sonar.world.delete_branch("shop", "release/1")

    scene.sync()

    assert there in scene.open()


def test_a_branch_that_vanishes_while_it_is_read_keeps_its_findings(sonar: FakeSonarQube):
    shop(sonar)
    there = sonar.world.raise_issues("shop", 1, "release/1")[0]
    scene = connected(sonar, branches=["release/*"])

    def gone(question: Question) -> None:
        if question.name == "/api/issues/search" and "release/1" in sonar.world.projects["shop"].branches:
            sonar.world.delete_branch("shop", "release/1")

    sonar.interfere = gone
    scene.sync()

    assert there in scene.open()


def test_a_pattern_that_matches_nothing_is_skipped(sonar: FakeSonarQube):
    """records.md: an empty scope is not an empty answer."""
    shop(sonar)
    there = sonar.world.raise_issues("shop", 1, "release/1")[0]
    scene = connected(sonar, branches=["release/*"])
    scene.configure(settings={"url": sonar.url, "branches": ["hotfix/*"]})

    operation = scene.sync()

    assert there in scene.open()
    told = {(result.outcome, result.why) for result in results_of(operation)}
    assert {outcome for outcome, _ in told} == {"off", "skipped"}
    assert any("No branch of this project matches «hotfix/*»." in why for _, why in told)


def test_more_than_ten_thousand_vulnerabilities_are_all_read(sonar: FakeSonarQube):
    """tools.md: at most 10,000 results a query: split the query rather than lose the rest."""
    sonar.world.add_project("big")
    keys = sonar.world.raise_issues("big", 10_150)
    scene = connected(sonar)

    assert scene.open() == set(keys)


def test_a_server_that_breaks_off_half_way_closes_nothing(sonar: FakeSonarQube):
    keys = shop(sonar)
    scene = connected(sonar)
    sonar.world.purge(keys["first"])
    sonar.interfere = lambda question: 400 if question.list == "vulnerabilities" else None

    scene.sync()

    assert scene.open() == set(keys.values())


def test_test_connection_tells_who_we_are_and_what_we_see(sonar: FakeSonarQube):
    from tidegate.ingest.probe import probe

    nothing = probe(made(sonar))
    shop(sonar)
    something = probe(made(sonar))
    wrong = probe(made(sonar, token="squ_of_somebody_else_0000000000000000000000"))

    assert [step.sentence for step in something.steps] == ["Logged in as Tidegate.", "All 1 projects."]
    assert something.account is not None
    assert something.account.id == "BF41A1F2-AZWQhLxGkYvQfHq0mFzk"
    assert "No projects at all" in nothing.steps[-1].sentence
    assert not wrong.steps[-1].ok
    assert "squ_of_somebody_else" not in str(wrong)


def test_test_connection_tells_which_family_may_not_be_read(sonar: FakeSonarQube):
    """Issue 8, point 5: rights per Family. The vendor's own reason, and what to do."""
    from tidegate.ingest.probe import probe

    shop(sonar)
    sonar.world.hotspots_allowed = False

    steps = probe(made(sonar)).steps

    assert [step.name for step in steps] == ["login", "what it may read", "what it can see"]
    assert steps[1].warning
    assert steps[1].sentence.startswith("hotspots cannot be read. GET api/hotspots/search answered 403.")
    assert steps[1].sentence.endswith("Give the account the missing permission in the tool.")
