"""The life of a Connection to Semgrep, through the real SQL: what the vendor does, and what is open here then."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.connectors.life import stored
from tests.ingest.scene import ALICE, Scene
from tidegate.connectors.semgrep.connector import Semgrep, SemgrepSettings
from tidegate.demo.fake_semgrep import FakeSemgrep
from tidegate_sdk import Severity

pytestmark = pytest.mark.usefixtures("database")
STRIKES = ("400", "login page", "cut JSON", "rows are null", "no content")
FALSE = 1
"""How a false positive is stored."""


def connected(semgrep: FakeSemgrep) -> Scene:
    """A Connection whose Records are mapped by themselves, discovered and synced once."""
    from tidegate.actions.connection import add_connection

    token = {"token": SecretStr(semgrep.token)}
    number = add_connection(ALICE, "semgrep", "Semgrep", {"url": semgrep.url}, token, auto_map=True, discover=False)
    scene = Scene(None, number)  # pyright: ignore[reportArgumentType] - the world is the fake's
    scene.discover()
    scene.sync()
    return scene


def made(semgrep: FakeSemgrep, **settings: Any) -> Semgrep:
    """The Tool alone, without a Connection."""
    return Semgrep(SemgrepSettings(**{"url": semgrep.url, "token": semgrep.token, **settings}))


class Shop:
    """A project with two findings of code and one of each other Family, and another with one of code."""

    def __init__(self, semgrep: FakeSemgrep) -> None:
        world = semgrep.world
        self.web, self.wiki = world.add_project("acme/web"), world.add_project("acme/wiki")
        self.first, self.second = world.raise_code(self.web, 2)
        self.package, self.secret = world.raise_dependency(self.web), world.raise_secret(self.web)
        (self.page,) = world.raise_code(self.wiki)
        self.all = {self.first, self.second, self.package, self.secret, self.page}


def test_a_life(semgrep: FakeSemgrep):
    """Issue 8: discover, sync, sync again writes nothing, every kind of change, a Family switched off, a project gone,
    healthy again; the end state equals the vendor's truth."""
    shop, world = Shop(semgrep), semgrep.world
    scene = connected(semgrep)
    assert scene.open() == shop.all

    before = stored()
    assert scene.sync().status == "success"
    assert stored() == before

    new = world.raise_code(shop.web)[0]
    world.change(shop.first, severity="low")
    world.change(shop.second, status="fixed", state="fixed")
    world.change(shop.secret, status="FINDING_STATUS_FIXED")
    world.change(shop.page, status="ignored", triage_state="ignored", triage_reason="false_positive")
    world.purge(shop.package)
    world.raise_dependency(shop.wiki)
    scene.sync()
    found = scene.findings()
    assert {shop.first, shop.page, new} <= scene.open()
    assert found[shop.first].severity == Severity.LOW.rank
    assert (found[shop.page].vendor_verdict, found[shop.page].active) == (FALSE, False)
    closed = {key: found[key].closed_because for key in (shop.second, shop.secret, shop.package)}
    assert closed == {shop.second: "fixed", shop.secret: "fixed", shop.package: "gone"}

    open_now = scene.open()
    world.disable("sca")
    world.disable("sast")
    partial = scene.sync()
    assert scene.open() == open_now
    assert scene.result(partial, shop.web, "code").outcome == "skipped"
    assert "may not be enabled" in scene.result(partial, shop.web, "code").why

    world.delete_project(shop.wiki)
    world.enable("sca")
    world.enable("sast")
    scene.discover()
    assert scene.record(shop.wiki).absent_since is not None

    last = world.raise_secret(shop.web)
    assert scene.sync().status in ("success", "partial")
    assert scene.open(shop.web) == {shop.first, new, last}


def test_a_project_that_is_gone_between_the_list_and_its_fetch_closes_nothing(semgrep: FakeSemgrep):
    shop = Shop(semgrep)
    scene = connected(semgrep)
    semgrep.world.delete_project(shop.wiki)

    scene.sync()

    assert shop.page in scene.open()


def test_a_project_that_is_renamed_stays_the_same(semgrep: FakeSemgrep):
    """Its secrets are asked for by name, so until the next Discover there are none, and that is not believed."""
    shop = Shop(semgrep)
    scene = connected(semgrep)
    semgrep.world.rename_project(shop.web, "acme/shop")

    scene.sync()
    assert scene.open() == shop.all
    scene.discover()
    scene.sync()

    assert scene.record(shop.web).name == "acme/shop"
    assert scene.open() == shop.all


def test_many_pages_are_read_to_the_empty_one(semgrep: FakeSemgrep):
    """promises.md: a short page is not the last one. What is gone from drifting pages is looked for twice."""
    shop = Shop(semgrep)
    more = set(semgrep.world.raise_code(shop.web, 1_010))
    scene = connected(semgrep)
    assert scene.open() == shop.all | more
    semgrep.world.purge(shop.first)

    scene.sync()

    assert scene.open() == (shop.all | more) - {shop.first}


def test_a_page_that_fails_closes_nothing(semgrep: FakeSemgrep):
    shop = Shop(semgrep)
    scene = connected(semgrep)
    semgrep.world.purge(shop.first)
    semgrep.interfere = lambda question: 400 if question.list == "sast" and question.about else None

    scene.sync()

    assert scene.open() == shop.all


def test_whatever_strikes_a_list_closes_nothing(semgrep: FakeSemgrep):
    """promises.md: vendor faults. One finding is gone meanwhile; the first whole read after that closes it."""
    shop = Shop(semgrep)
    scene = connected(semgrep)
    semgrep.world.purge(shop.first)

    for fault in STRIKES:
        semgrep.control.strike(fault, "sast", about=shop.web, times=4)
        assert scene.sync().status == "partial", fault
        assert scene.open() == shop.all, fault
        semgrep.control.calm()

    assert scene.sync().status == "success"
    assert scene.open() == shop.all - {shop.first}


def test_test_connection_tells_who_we_are_and_what_we_see(semgrep: FakeSemgrep):
    from tidegate.ingest.probe import probe

    Shop(semgrep)
    something = probe(made(semgrep))
    wrong = probe(made(semgrep, token="5e0deaddeaddeaddeaddead"))
    semgrep.world.disabled.add("secrets")
    less = probe(made(semgrep))

    assert [step.sentence for step in something.steps] == ["Logged in as Demo.", "All 2 projects."]
    assert something.account is not None
    assert something.account.id == "20169"
    assert [step.sentence for step in less.steps[1:]] == [
        "secrets is skipped. Nothing of secrets is reported in the whole organization; it may not be enabled there.",
        "All 2 projects, secrets skipped.",
    ]
    assert not wrong.steps[-1].ok
    assert "5e0deaddeaddeaddeaddead" not in str(wrong)
