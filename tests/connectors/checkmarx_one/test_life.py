"""The life of a Connection to Checkmarx One, through the real SQL: what the vendor does, and what is open here then."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.connectors.life import stored
from tests.ingest.scene import ALICE, Scene
from tidegate.connectors.checkmarx_one.connector import CheckmarxOne, CheckmarxOneSettings
from tidegate.demo.fake_checkmarx import TENANT, FakeCheckmarx
from tidegate_sdk import Severity

pytestmark = pytest.mark.usefixtures("database")
STRIKES = ("400", "login page", "cut JSON", "rows are null", "no content")
FALSE = 1
"""How a false positive is stored."""


def entered(checkmarx: FakeCheckmarx, **settings: Any) -> dict[str, Any]:
    return {"url": checkmarx.url, "logins": checkmarx.url, "tenant": TENANT, **settings}


def connected(checkmarx: FakeCheckmarx, **settings: Any) -> Scene:
    """A Connection whose Records are mapped by themselves, discovered and synced once."""
    from tidegate.actions.connection import add_connection

    told, key = entered(checkmarx, **settings), {"key": SecretStr(checkmarx.key)}
    number = add_connection(ALICE, "checkmarx_one", "Checkmarx", told, key, auto_map=True, discover=False)
    scene = Scene(None, number)  # pyright: ignore[reportArgumentType] - the world is the fake's
    scene.discover()
    scene.sync()
    return scene


class Shop:
    """A project with two flows, a package and a setting, and another with one flow."""

    def __init__(self, checkmarx: FakeCheckmarx) -> None:
        world = checkmarx.world
        self.web, self.wiki = world.add_project("acme/web"), world.add_project("acme/wiki")
        self.first, self.second = world.raise_flow(self.web, 2)
        self.package, self.setting = world.raise_package(self.web), world.raise_setting(self.web)
        (self.page,) = world.raise_flow(self.wiki)
        self.all = {self.first, self.second, self.package, self.setting, self.page}


def walks(checkmarx: FakeCheckmarx, scan: str = "") -> int:
    """How often the results of a scan were walked from the beginning."""
    asked = [each.request.query for each in checkmarx.asked if each.list == "results"]
    return sum(query["offset"] == "0" and scan in ("", query["scan-id"]) for query in asked)


def test_a_life(checkmarx: FakeCheckmarx):
    """Issue 8: discover, sync, sync again writes nothing, every kind of change, a Family switched off, a project gone,
    healthy again; the end state equals the vendor's truth."""
    shop, world = Shop(checkmarx), checkmarx.world
    scene = connected(checkmarx)
    assert scene.open() == shop.all

    before = stored()
    assert scene.sync().status == "success"
    assert stored() == before

    world.scan(shop.web)
    new = world.raise_flow(shop.web)[0]
    world.change(shop.first, severity="LOW")
    world.change(shop.second, status="FIXED")
    world.change(shop.page, state="NOT_EXPLOITABLE", comments={"comments": "Nobody gets there."})
    world.purge(shop.package)
    scene.sync()
    found = scene.findings()
    assert scene.open() >= {shop.first, shop.setting, shop.page, new}
    assert found[shop.first].severity == Severity.LOW.rank
    assert (found[shop.page].vendor_verdict, found[shop.page].active) == (FALSE, False)
    closed = {key: found[key].closed_because for key in (shop.second, shop.package)}
    assert closed == {shop.second: "fixed", shop.package: "gone"}

    open_now = scene.open()
    world.scan(shop.web, "sast", "sca")  # KICS is switched off: what it said last stays
    scene.sync()
    assert scene.open() == open_now

    world.delete_project(shop.wiki)
    scene.discover()
    assert scene.record(shop.wiki).absent_since is not None

    world.scan(shop.web)
    world.purge(shop.setting)
    last = world.raise_package(shop.web)
    scene.sync()
    assert scene.open(shop.web) == {shop.first, new, last}


def test_results_are_walked_once_for_all_families_and_twice_where_something_is_gone(checkmarx: FakeCheckmarx):
    """ADR 0016: three engines, two Records, and as many walks as scans; what is gone is looked for once more."""
    shop = Shop(checkmarx)
    scene = connected(checkmarx)
    assert walks(checkmarx) == 2
    checkmarx.world.purge(shop.first)
    checkmarx.world.purge(shop.package)
    checkmarx.asked.clear()

    operation = scene.sync()

    assert scene.open() == shop.all - {shop.first, shop.package}
    assert walks(checkmarx) == 2 + 1
    told = scene.result(operation, shop.web, "SAST")
    assert (told.outcome, told.why) == ("complete", "")


def test_many_pages_are_read_to_the_declared_end(checkmarx: FakeCheckmarx):
    shop = Shop(checkmarx)
    more = set(checkmarx.world.raise_flow(shop.web, 1_010))
    scene = connected(checkmarx)
    assert scene.open() == shop.all | more
    checkmarx.world.purge(shop.package)

    scene.sync()

    assert scene.open() == (shop.all | more) - {shop.package}


@pytest.mark.parametrize("page", [1, 2])
def test_a_page_that_fails_closes_nothing_of_any_family(checkmarx: FakeCheckmarx, page: int):
    """promises.md: never by a partial answer; what one engine has lost is not told by the half of a walk."""
    shop = Shop(checkmarx)
    checkmarx.world.raise_flow(shop.web, 150)
    scene = connected(checkmarx)
    open_now = scene.open()
    checkmarx.world.purge(shop.package)
    checkmarx.world.purge(shop.first)
    for fault in STRIKES:
        checkmarx.control.strike(fault, "results", about=shop.web, at=page, times=None)
        assert scene.sync().status == "partial", fault
        assert scene.open() == open_now, fault
        checkmarx.control.calm()

    assert scene.sync().status == "success"
    assert scene.open() == open_now - {shop.package, shop.first}


def test_a_token_that_expires_half_way_is_asked_for_again(checkmarx: FakeCheckmarx):
    """promises.md, Meaning: it costs one request, and nothing is lost."""
    shop = Shop(checkmarx)
    checkmarx.world.raise_flow(shop.web, 150)
    scene = connected(checkmarx)
    given = checkmarx.world.tokens
    seen: list[str] = []

    def expire(question: Any) -> None:
        if question.list == "results":
            seen.append(question.request.query["offset"])
            if len(seen) == 1:
                checkmarx.world.tokens += 1

    checkmarx.interfere = expire
    checkmarx.world.purge(shop.first)

    assert scene.sync().status == "success"
    assert checkmarx.world.tokens == given + 1 + 1 + 1
    assert shop.first not in scene.open()


def test_an_engine_that_nobody_knows_closes_nothing(checkmarx: FakeCheckmarx):
    shop = Shop(checkmarx)
    scene = connected(checkmarx)
    checkmarx.world.purge(shop.package)
    checkmarx.world.raise_flow(shop.web, type="quantum")

    operation = scene.sync()

    assert scene.open() == shop.all
    assert "does not say what it belongs to" in scene.result(operation, shop.web, "SCA").why


def test_a_right_that_is_lost_closes_nothing(checkmarx: FakeCheckmarx):
    shop = Shop(checkmarx)
    scene = connected(checkmarx)
    checkmarx.world.show_only(shop.wiki)

    scene.sync()

    assert scene.open() == shop.all


def test_a_project_that_is_renamed_stays_the_same(checkmarx: FakeCheckmarx):
    shop = Shop(checkmarx)
    scene = connected(checkmarx)
    checkmarx.world.rename_project(shop.web, "acme/shop")

    scene.discover()
    scene.sync()

    assert scene.record(shop.web).name == "acme/shop"
    assert scene.open() == shop.all


def test_each_branch_has_a_state_of_its_own_and_a_pattern_that_matches_nothing_is_skipped(checkmarx: FakeCheckmarx):
    """records.md: state and proof are per Branch."""
    shop = Shop(checkmarx)
    checkmarx.world.scan(shop.web, branch="release/1")
    there = checkmarx.world.raise_flow(shop.web, branch="release/1")[0]
    scene = connected(checkmarx, branches=["main", "release/*"])
    assert {key: found.branch for key, found in scene.findings(shop.web).items() if key == there} == {
        there: "release/1"
    }
    checkmarx.world.purge(there)
    scene.sync()
    assert scene.open() == shop.all

    checkmarx.world.delete_branch(shop.wiki, "main")
    checkmarx.world.scan(shop.wiki, branch="feature/x")
    operation = scene.sync()

    assert scene.open() == shop.all
    assert scene.result(operation, shop.wiki, "SAST").why == "No branch of this project matches «main», «release/*»."


def test_test_connection_tells_who_we_are_and_what_we_see(checkmarx: FakeCheckmarx):
    from tidegate.ingest.probe import probe

    Shop(checkmarx)
    right, wrong = checkmarx.key, "another0key0of0nobody0000000000000001"
    something = probe(CheckmarxOne(CheckmarxOneSettings(**entered(checkmarx), key=SecretStr(right))))
    refused = probe(CheckmarxOne(CheckmarxOneSettings(**entered(checkmarx), key=SecretStr(wrong))))
    nowhere = probe(CheckmarxOne(CheckmarxOneSettings(**entered(checkmarx, tenant="acme"), key=SecretStr(right))))

    nothing = "The engine ran in no completed scan of this branch; 1 was looked at."
    assert [step.sentence for step in something.steps] == [
        "Logged in as demo.",
        *(f"{family} is skipped. {nothing}" for family in ("containers", "secrets", "scorecard")),
        "All 2 projects, containers skipped, secrets skipped, scorecard skipped.",
    ]
    assert something.account is not None
    assert something.account.id == f"{checkmarx.url}{TENANT}"
    assert not refused.steps[-1].ok
    assert "The API key is not accepted." in refused.steps[-1].sentence
    assert wrong not in str(refused)
    assert "There is no tenant 'acme' there." in nowhere.steps[-1].sentence
