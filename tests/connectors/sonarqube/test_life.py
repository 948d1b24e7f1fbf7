"""The life of a Connection to SonarQube, through the real SQL: what the vendor does, and what is open here then."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from pydantic import SecretStr

from tests.connectors.life import stored
from tests.ingest.scene import ALICE, Scene
from tidegate.connectors.sonarqube.connector import SonarQube, SonarQubeSettings
from tidegate.demo.fake import Question
from tidegate.demo.fake_sonarqube import FakeSonarQube
from tidegate.demo.fake_sonarqube.world import Branch
from tidegate_sdk import Ask, Proof, Severity, Walk

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


def released(sonar: FakeSonarQube, **settings: Any) -> tuple[Scene, str]:
    """A project with a release branch, read once; and the finding that is on that branch alone."""
    shop(sonar)
    there = sonar.world.raise_issues("shop", 1, "release/1")[0]
    return connected(sonar, branches=["main", "release/*"], **settings), there


def days_pass(number: int) -> None:
    """So long ago were all branches last there."""
    from tidegate.store.models import Part

    ago = timedelta(days=number)
    Part.objects.update(listed_at=F("listed_at") - ago, proven_at=F("proven_at") - ago)


def test_a_branch_that_vanished_keeps_its_findings(sonar: FakeSonarQube):
    """The search finds nothing for a branch that is not there, without an error (DefectDojo issue 11960). Whoever says
    nothing keeps what it brought, however long it is gone; it is unwatched, and the Record says why."""
    scene, there = released(sonar)
    sonar.world.delete_branch("shop", "release/1")
    days_pass(4_000)

    operation = scene.sync()

    assert there in scene.open()
    result = next(one for one in results_of(operation) if one.branch == "release/1")
    assert result.outcome == "skipped"
    assert "«release/1»" in result.why
    assert "its findings stay as they are." in result.why


def test_a_branch_that_vanished_closes_after_the_days_its_connection_says_and_comes_back(sonar: FakeSonarQube):
    """Issue 8, point 4: a vanished branch follows a policy. Not a day early; with its reason; as a preview foresaw; an
    undo opens it again; and where the branch is back its findings are, with what a person decided."""
    from tidegate.actions.finding import decide_finding
    from tidegate.actions.operation import preview_sync, see_through
    from tidegate.actions.undo import undo_sync
    from tidegate.reads.finding import finding
    from tidegate.store.models import Difference, Finding

    scene, there = released(sonar)
    scene.configure(close_branches_after=30)
    release = sonar.world.projects["shop"].branches["release/1"]
    sonar.world.delete_branch("shop", "release/1")
    number = Finding.objects.get(key=there).pk
    decide_finding(ALICE, number, note="mended in main")

    days_pass(29)
    waiting = scene.sync()
    assert there in scene.open()
    assert any("unless it comes back" in one.why for one in results_of(waiting))

    days_pass(1)
    foreseen = preview_sync(ALICE, scene.connection_id)
    (difference,) = Difference.objects.filter(operation=foreseen)
    assert (difference.kind, difference.because, difference.finding_id) == ("closed", "branch", number)
    assert there in scene.open()

    closing = scene.sync()
    assert there not in scene.open()
    assert closing.status == "success"
    assert closing.counts["closed"] == 1
    told = finding(number)
    assert told is not None
    assert told.finding.why == f"Closed by Sync {closing.pk}: its branch is no longer in the tool."
    closed = told.story[-1]
    assert (closed.kind, closed.operation) == ("closed", closing.pk)
    assert "its findings close 30 days after that" in closed.proof

    see_through(undo_sync(ALICE, closing.pk))
    assert there in scene.open()
    again = scene.sync()
    assert there in scene.open()
    assert again.counts["held"] == 1

    sonar.world.projects["shop"].branches["release/1"] = release
    back = scene.sync()
    assert back.status == "success"
    assert there in scene.open()
    assert scene.waiting() == set()
    assert [said.value for said in told.decisions] == ["mended in main"]


def test_the_days_count_from_the_last_list_that_named_a_branch(sonar: FakeSonarQube):
    """Not from the last time that it could be read: its findings would close on the first day that it is gone."""
    scene, there = released(sonar)
    scene.configure(close_branches_after=30)
    days_pass(100)
    sonar.interfere = lambda question: 400 if "release/1" in question.variables.values() else None
    scene.sync()
    sonar.interfere = lambda question: None
    sonar.world.delete_branch("shop", "release/1")

    operation = scene.sync()

    assert there in scene.open()
    assert any("unless it comes back" in one.why for one in results_of(operation))


def no_answer(sonar: FakeSonarQube) -> None:
    sonar.interfere = lambda question: 400 if question.list == "branches" else None


def a_branch_without_a_name(sonar: FakeSonarQube) -> None:
    sonar.world.projects["shop"].branches["?"] = Branch(None)  # pyright: ignore[reportArgumentType] - it is odd


def no_branches_at_all(sonar: FakeSonarQube) -> None:
    sonar.world.projects["shop"].branches.clear()


@pytest.mark.parametrize("unproven", [no_answer, a_branch_without_a_name, no_branches_at_all])
def test_a_list_of_branches_that_is_not_proven_closes_nothing(sonar: FakeSonarQube, unproven: Any):
    """A sync that did not prove that it saw everything closes nothing."""
    scene, there = released(sonar)
    scene.configure(close_branches_after=1)
    sonar.world.delete_branch("shop", "release/1")
    days_pass(100)
    unproven(sonar)

    scene.sync()

    assert there in scene.open()


@pytest.mark.parametrize("there_again", [True, False])
def test_a_branch_that_numbered_pages_lack_must_be_lacked_twice(
    sonar: FakeSonarQube, monkeypatch: pytest.MonkeyPatch, there_again: bool
):
    """promises.md: a live row can hide between two pages while every total agrees. SonarQube answers at once."""
    scene, there = released(sonar)
    scene.configure(close_branches_after=1)
    release, asked = sonar.world.projects["shop"].branches.pop("release/1"), []
    days_pass(1)

    def hide_once(question: Question) -> None:
        if question.list == "branches":
            asked.append(question)
            if there_again and len(asked) > 1:
                sonar.world.projects["shop"].branches["release/1"] = release

    sonar.interfere = hide_once
    monkeypatch.setattr("tidegate.connectors.sonarqube.connector.Whole", Drifting)
    scene.sync()

    assert len(asked) > 1
    assert (there in scene.open()) is there_again


class Drifting:
    """One page, as far as anybody knows."""

    def walk(self, first: Ask) -> Walk:
        page = yield first
        return Proof(page.count, kind="drifting")


def test_many_closings_for_a_branch_that_vanished_wait_for_a_person(sonar: FakeSonarQube):
    """A sudden collapse is held: whoever renames all branches at the vendor's did not mend what is on them."""
    from tidegate.actions.operation import approve
    from tidegate.store.models import Finding

    shop(sonar)
    keys = sonar.world.raise_issues("shop", 25, "release/1")
    scene = connected(sonar, branches=["main", "release/*"])
    scene.configure(close_branches_after=7)
    sonar.world.delete_branch("shop", "release/1")
    days_pass(7)

    held = scene.sync()
    assert scene.waiting() == set(keys)
    approve(ALICE, held.pk)

    assert scene.open().isdisjoint(keys)
    assert set(Finding.objects.filter(key__in=keys).values_list("closed_because", flat=True)) == {"branch"}
    assert scene.sync().status == "success"


def test_a_branch_that_nobody_asks_for_any_more_has_not_vanished(sonar: FakeSonarQube):
    """It is listed still: findings of a branch that another pattern leaves out stay, whatever the policy says."""
    scene, there = released(sonar)
    scene.configure(close_branches_after=1, settings={"url": sonar.url, "branches": ["main"]})
    days_pass(100)

    operation = scene.sync()

    assert there in scene.open()
    assert any("«release/1» is no longer among the branches that are read" in one.why for one in results_of(operation))


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


def told_of(sonar: FakeSonarQube) -> str:
    """The open vulnerabilities of all main branches, counted here."""
    there = [issue for project in sonar.world.projects.values() for issue in project.branches["main"].issues]
    number = sum(issue["type"] == "VULNERABILITY" and not issue.get("resolution") for issue in there)
    return f"about {number} open finding{'' if number == 1 else 's'}"


def test_test_connection_tells_who_we_are_and_what_we_see(sonar: FakeSonarQube):
    from tidegate.ingest.probe import probe

    nothing = probe(made(sonar))
    shop(sonar)
    something = probe(made(sonar))
    wrong = probe(made(sonar, token="squ_of_somebody_else_0000000000000000000000"))

    seen = f"One project, {told_of(sonar)}."
    assert [step.sentence for step in something.steps] == ["Logged in as Tidegate.", seen]
    assert something.account is not None
    assert something.account.id == "BF41A1F2-AZWQhLxGkYvQfHq0mFzk"
    assert "No projects at all" in nothing.steps[-1].sentence
    assert "its user needs Browse on each project" in nothing.steps[-1].sentence
    assert not wrong.steps[-1].ok
    assert "squ_of_somebody_else" not in str(wrong)


def test_test_connection_tells_which_family_may_not_be_read(sonar: FakeSonarQube):
    """Issue 8, point 5: rights per Family. The vendor's own reason, and what to do."""
    from tidegate.ingest.probe import probe

    shop(sonar)
    sonar.world.hotspots_allowed = False

    steps = probe(made(sonar)).steps

    assert [step.name for step in steps] == ["login", "what it may read", "what it can see"]
    assert steps[2].sentence == f"One project, {told_of(sonar)}, hotspots not enabled."
    assert steps[1].warning
    assert steps[1].sentence.startswith("hotspots cannot be read. GET api/hotspots/search answered 403.")
    assert steps[1].sentence.endswith("Give the account the missing permission in the tool.")
