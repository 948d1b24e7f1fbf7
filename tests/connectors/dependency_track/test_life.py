"""The life of a Connection to Dependency-Track, by the real SQL: what the vendor does, and what is open here then."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.connectors.life import stored
from tests.ingest.scene import ALICE, Scene
from tidegate.connectors.dependency_track.connector import DependencyTrack, DependencyTrackSettings
from tidegate.demo.fake_dependency_track import FakeDependencyTrack
from tidegate_sdk import Severity

pytestmark = pytest.mark.usefixtures("database")
FALSE_POSITIVE, ACCEPTED = 1, 2
"""How what the vendor says of a finding is stored."""


def connected(track: FakeDependencyTrack, **settings: Any) -> Scene:
    """A Connection whose Records are mapped by themselves, discovered and synced once."""
    from tidegate.actions.connection import add_connection

    entered = {"url": track.url, **settings}
    number = add_connection(
        ALICE, "dependency_track", "Track", entered, {"key": SecretStr(track.key)}, auto_map=True, discover=False
    )
    scene = Scene(None, number)  # pyright: ignore[reportArgumentType] - the world is the fake's
    scene.discover()
    scene.sync()
    return scene


def made(track: FakeDependencyTrack, **settings: Any) -> DependencyTrack:
    """The Tool alone, without a Connection."""
    return DependencyTrack(DependencyTrackSettings(**{"url": track.url, "key": track.key, **settings}))


@pytest.mark.parametrize("version", ["5.0.4", "4.14.3"])
def test_a_life(track: FakeDependencyTrack, version: str):
    """Issue 8: discover, sync, sync again writes nothing, every kind of change, a Family switched off, a product gone,
    healthy again; the end state equals the vendor's truth."""
    track.world.version = version
    shop = track.world.add_project("shop", "1.0")
    wiki = track.world.add_project("wiki")
    worse, denied, hidden, updated, resolved = track.world.find(shop, 5)
    scene = connected(track)
    assert scene.open() == {worse, denied, hidden, updated, resolved}

    before = stored()
    assert scene.sync().status == "success"
    assert stored() == before

    new = track.world.find(shop)[0]
    track.world.change(worse, severity="CRITICAL")
    track.world.analyse(denied, state="FALSE_POSITIVE")
    track.world.analyse(hidden, isSuppressed=True)
    track.world.fix(updated)
    track.world.analyse(resolved, state="RESOLVED")
    scene.sync()
    found = scene.findings(shop)
    assert scene.open() == {worse, denied, hidden, new}
    assert found[worse].severity == Severity.CRITICAL.rank
    assert (found[denied].vendor_verdict, found[denied].active) == (FALSE_POSITIVE, False)
    assert (found[hidden].vendor_verdict, found[hidden].active) == (ACCEPTED, False)
    assert (found[updated].closed_because, found[resolved].closed_because) == ("gone", "fixed")

    track.world.permissions = {"VIEW_PORTFOLIO"}
    track.world.fix(new)
    track.world.analyse(resolved, state="EXPLOITABLE")
    partial = scene.sync()
    assert scene.open() == {worse, denied, hidden, new}
    assert scene.result(partial, shop, "vulnerabilities").outcome == "skipped"

    gone = track.world.delete_project(wiki)
    scene.discover()
    assert scene.record(wiki).absent_since is not None

    track.world.permissions = {"VIEW_PORTFOLIO", "VIEW_VULNERABILITY"}
    track.world.put_back(**gone)
    track.world.change_project(shop, name="store")
    scene.discover()
    assert scene.sync().status == "success"
    assert scene.record(wiki).absent_since is None
    assert scene.record(shop).name == "store 1.0"
    assert scene.open() == {worse, denied, hidden, resolved}


@pytest.mark.parametrize("version", ["5.0.4", "4.14.3"])
def test_all_findings_of_a_project_are_read_and_not_the_first_page(track: FakeDependencyTrack, version: str):
    """tools.md: reading only the first page is a known failure of others."""
    track.world.version = version
    shop = track.world.add_project("shop")
    keys = track.world.find(shop, 501)

    scene = connected(track)

    assert scene.open() == {*keys}


def test_all_projects_are_listed(track: FakeDependencyTrack):
    """The server gives 100 unless it is asked for more (DependencyTrack issue 2193)."""
    from tidegate.ingest.probe import probe

    for number in range(201):
        track.world.add_project(f"project-{number}")

    assert probe(made(track)).steps[-1].sentence == "All 201 project versions."


def test_a_version_that_becomes_inactive_goes_missing_and_keeps_its_findings(track: FakeDependencyTrack):
    shop, _ = track.world.add_project("shop", "1.0"), track.world.add_project("shop", "1.1")
    key = track.world.find(shop)[0]
    scene = connected(track)
    track.world.change_project(shop, active=False)

    scene.discover()
    scene.sync()

    assert scene.record(shop).absent_since is not None
    assert scene.open() == {key}


def test_an_inactive_version_is_read_where_a_person_wants_all(track: FakeDependencyTrack):
    shop = track.world.add_project("shop", "1.0", active=False)
    key = track.world.find(shop)[0]

    assert connected(track, versions="all").open() == {key}


def test_a_project_that_the_team_may_see_no_longer_closes_nothing(track: FakeDependencyTrack):
    """promises.md: an answer because the token lost a right: portfolio access control says 403 for one project."""
    shop, wiki = track.world.add_project("shop"), track.world.add_project("wiki")
    keys = [*track.world.find(shop), *track.world.find(wiki)]
    scene = connected(track)
    track.world.show_only(wiki)

    scene.sync()

    assert scene.open() == {*keys}


def test_a_project_that_is_gone_between_the_list_and_its_fetch_closes_nothing(track: FakeDependencyTrack):
    shop = track.world.add_project("shop")
    key = track.world.find(shop)[0]
    scene = connected(track)
    track.world.delete_project(shop)

    scene.sync()

    assert scene.open() == {key}


@pytest.mark.parametrize("fault", ["half a page", "no rows", "cut JSON", "login page"])
def test_a_server_that_breaks_off_half_way_closes_nothing(track: FakeDependencyTrack, fault: str):
    shop = track.world.add_project("shop")
    keys = track.world.find(shop, 4)
    scene = connected(track)
    track.world.fix(keys[0])
    track.control.strike(fault, "vulnerabilities", times=None)

    scene.sync()

    assert scene.open() == {*keys}


def test_test_connection_tells_who_we_are_and_what_we_see(track: FakeDependencyTrack):
    from tidegate.ingest.probe import probe

    nothing = probe(made(track))
    track.world.add_project("shop", metrics={"vulnerabilities": 12_480})
    track.world.add_project("never analysed")
    something = probe(made(track))
    track.world.permissions = {"VIEW_VULNERABILITY"}
    refused = probe(made(track))
    wrong = probe(made(track, key="odt_of_somebody_else_000000000000000000"))

    assert [step.sentence for step in something.steps] == [
        "Logged in as Tidegate.",
        "All 2 project versions, about 12,480 open findings.",
    ]
    assert something.account is not None
    assert something.account.id == track.url
    assert "No project versions at all" in nothing.steps[-1].sentence
    assert "answered 403" in refused.steps[-1].sentence
    assert not wrong.steps[-1].ok
    assert "odt_of_somebody_else" not in str(wrong)
