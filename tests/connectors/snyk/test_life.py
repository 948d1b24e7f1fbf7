"""The life of a Connection to Snyk, through the real SQL: what the vendor does, and what is open here then."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.connectors.life import stored
from tests.ingest.scene import ALICE, Scene
from tidegate.connectors.snyk.connector import CODE_OFF, INACTIVE, Snyk, SnykSettings
from tidegate.demo.fake_snyk import FakeSnyk
from tidegate_sdk import Severity

pytestmark = pytest.mark.usefixtures("database")
STRIKES = ("400", "login page", "cut JSON", "rows are null", "no content")
ACCEPTED = 2
"""How an accepted finding is stored."""


def connected(snyk: FakeSnyk, **settings: Any) -> Scene:
    """A Connection whose Records are mapped by themselves, discovered and synced once."""
    from tidegate.actions.connection import add_connection

    entered = {"url": snyk.url, **settings}
    number = add_connection(
        ALICE, "snyk", "Snyk", entered, {"token": SecretStr(snyk.token)}, auto_map=True, discover=False
    )
    scene = Scene(None, number)  # pyright: ignore[reportArgumentType] - the world is the fake's
    scene.discover()
    scene.sync()
    return scene


def made(snyk: FakeSnyk, **settings: Any) -> Snyk:
    """The Tool alone, without a Connection."""
    return Snyk(SnykSettings(**{"url": snyk.url, "token": snyk.token, **settings}))


class Shop:
    """Two organizations: apps with a web project of two issues and a code project of one, and labs with one."""

    def __init__(self, snyk: FakeSnyk) -> None:
        world = snyk.world
        world.add_organization("apps")
        world.add_organization("labs")
        self.web = world.add_project("apps", "acme/web:package.json")
        self.code = world.add_project("apps", "acme/web", "sast")
        self.lab = world.add_project("labs", "acme/lab:package.json")
        self.first, self.second = world.raise_issues(self.web, 2)
        (self.flaw,) = world.raise_issues(self.code, type="code", coordinates=[])
        (self.toy,) = world.raise_issues(self.lab)
        self.all = {self.first, self.second, self.flaw, self.toy}


def test_a_life(snyk: FakeSnyk):
    """Issue 8: discover, sync, sync again writes nothing, every kind of change, what is switched off, a project gone,
    healthy again; the end state equals the vendor's truth."""
    shop = Shop(snyk)
    scene = connected(snyk)
    assert scene.open() == shop.all

    before = stored()
    assert scene.sync().status == "success"
    assert stored() == before

    new = snyk.world.raise_issues(shop.web)[0]
    snyk.world.change_issue(shop.first, effective_severity_level="low")
    snyk.world.resolve(shop.second)
    snyk.world.change_issue(shop.flaw, ignored=True)
    snyk.world.purge(shop.toy)
    scene.sync()
    found = scene.findings()
    assert scene.open() == {shop.first, shop.flaw, new}
    assert found[shop.first].severity == Severity.LOW.rank
    assert found[shop.flaw].vendor_verdict == ACCEPTED
    assert not found[shop.flaw].active
    assert (found[shop.second].closed_because, found[shop.toy].closed_because) == ("fixed", "gone")

    snyk.world.allow_code("apps", allowed=False)
    snyk.world.change_issue(shop.second, status="open", resolution=None)
    partial = scene.sync()
    assert scene.open() == {shop.first, shop.second, shop.flaw, new}
    assert scene.result(partial, shop.code, "issues").outcome == "skipped"
    assert CODE_OFF in scene.result(partial, shop.code, "issues").why

    snyk.world.delete_project(shop.lab)
    scene.discover()
    assert scene.record(shop.lab).absent_since is not None

    snyk.world.allow_code("apps", allowed=True)
    again = snyk.world.add_project("labs", "acme/lab2:package.json")
    last = snyk.world.raise_issues(again)[0]
    scene.discover()
    assert scene.sync().status == "success"
    assert scene.open() == {shop.first, shop.second, shop.flaw, new, last}


def test_each_project_keeps_what_is_its_own_of_one_walk(snyk: FakeSnyk):
    """architecture.md: rows carry their VEP; ten thousand Records must not mean ten thousand requests."""
    shop = Shop(snyk)
    scene = connected(snyk)

    assert (scene.open(shop.web), scene.open(shop.code)) == ({shop.first, shop.second}, {shop.flaw})
    walks = [question.about for question in snyk.asked if question.list == "issues"]
    assert len(walks) == len(set(walks)) == 2


def test_a_project_that_is_deactivated_keeps_its_findings(snyk: FakeSnyk):
    """promises.md: never closed by a switched-off Family. Snyk takes its issues from the list, and tells the status."""
    shop = Shop(snyk)
    scene = connected(snyk)
    snyk.world.deactivate(shop.lab)

    unaware = scene.sync()
    scene.discover()
    aware = scene.sync()

    assert scene.open() == shop.all
    assert "no longer names it" in scene.result(unaware, shop.lab, "issues").why
    assert INACTIVE in scene.result(aware, shop.lab, "issues").why


def test_a_right_that_is_lost_closes_nothing(snyk: FakeSnyk):
    """promises.md: 403 for one organization; the projects of the other are read."""
    shop = Shop(snyk)
    scene = connected(snyk)
    snyk.world.allow_issues("apps", allowed=False)
    snyk.world.purge(shop.toy)

    operation = scene.sync()

    assert scene.open() == shop.all - {shop.toy}
    assert scene.result(operation, shop.web, "issues").outcome == "skipped"


def test_an_organization_that_is_seen_no_more_closes_nothing(snyk: FakeSnyk):
    shop = Shop(snyk)
    scene = connected(snyk)
    snyk.world.show_only("labs")

    operation = scene.sync()

    assert scene.open() == shop.all
    assert operation.status == "partial"


def test_a_walk_that_breaks_off_closes_nothing(snyk: FakeSnyk):
    """promises.md: an expired cursor, a page that is lost. What came before it is applied."""
    shop = Shop(snyk)
    snyk.world.page = 10
    more = set(snyk.world.raise_issues(shop.web, 25))
    scene = connected(snyk)
    assert scene.open() == shop.all | more
    snyk.world.purge(shop.first)
    new = snyk.world.raise_issues(shop.web)[0]

    snyk.interfere = lambda question: 410 if "starting_after" in question.variables else None
    scene.sync()
    assert shop.first in scene.open()

    snyk.interfere = lambda question: None
    scene.sync()
    assert scene.open() == (shop.all | more | {new}) - {shop.first}


def test_whatever_strikes_a_walk_closes_nothing(snyk: FakeSnyk):
    """promises.md: vendor faults. Two issues are gone meanwhile; they are closed by the first whole walk after that."""
    shop = Shop(snyk)
    scene = connected(snyk)
    snyk.world.purge(shop.first)
    snyk.world.purge(shop.toy)

    for fault in STRIKES:
        snyk.control.strike(fault, "issues", times=2)
        assert scene.sync().status == "partial", fault
        assert scene.open() == shop.all, fault
        snyk.control.calm()

    assert scene.sync().status == "success"
    assert scene.open() == {shop.second, shop.flaw}


def test_only_the_organizations_that_are_named_are_read(snyk: FakeSnyk):
    shop = Shop(snyk)
    scene = connected(snyk, organizations=["LAB*"])

    assert scene.open() == {shop.toy}


def test_organizations_that_nobody_has_prove_nothing(snyk: FakeSnyk):
    """records.md: an empty scope is not an empty answer."""
    shop = Shop(snyk)
    scene = connected(snyk)
    scene.configure(settings={"url": snyk.url, "organizations": ["elsewhere"]})

    told = scene.discover()

    assert "Of the 2 organizations that the token sees none is called «elsewhere»." in told.why
    assert scene.record(shop.web).absent_since is None


def test_a_project_that_is_renamed_stays_the_same(snyk: FakeSnyk):
    shop = Shop(snyk)
    scene = connected(snyk)
    snyk.world.rename_project(shop.web, "acme/shop:package.json")

    scene.discover()
    scene.sync()

    assert scene.record(shop.web).name == "acme/shop:package.json"
    assert scene.open() == shop.all


def test_test_connection_tells_who_we_are_and_what_we_see(snyk: FakeSnyk):
    from tidegate.ingest.probe import probe

    nothing = probe(made(snyk))
    Shop(snyk)
    something = probe(made(snyk))
    wrong = probe(made(snyk, token="00000000-0000-4000-8000-00000000dead"))

    seen = "All 3 projects, about 4 open findings."
    assert [step.sentence for step in something.steps] == ["Logged in as tidegate.", seen]
    assert something.account is not None
    assert something.account.id == "55a348e2-c3ad-4bbc-b40e-9b232d1f4121"
    assert "No projects at all" in nothing.steps[-1].sentence
    assert not wrong.steps[-1].ok
    assert "00000000dead" not in str(wrong)
