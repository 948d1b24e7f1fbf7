"""The life of a Connection to Tenable, through the real SQL: what the vendor does, and what is open here then."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.connectors.life import stored
from tests.ingest.scene import ALICE, Scene
from tidegate.connectors.tenable.connector import Tenable, TenableSettings
from tidegate.demo.fake_tenable import FakeTenable
from tidegate.demo.fake_tenable.world import DEFAULT
from tidegate_sdk import Severity

pytestmark = pytest.mark.usefixtures("database")
ACCEPTED = 2
"""How an accepted finding is stored."""


def connected(tenable: FakeTenable, **settings: Any) -> Scene:
    """A Connection whose Records are mapped by themselves, discovered and synced once."""
    from tidegate.actions.connection import add_connection

    keys = {"access_key": SecretStr(tenable.access_key), "secret_key": SecretStr(tenable.secret_key)}
    entered = {"url": tenable.url, **settings}
    number = add_connection(ALICE, "tenable", "Tenable", entered, keys, auto_map=True, discover=False)
    scene = Scene(None, number)  # pyright: ignore[reportArgumentType] - the world is the fake's
    scene.discover()
    scene.sync()
    return scene


def offices(tenable: FakeTenable) -> dict[str, str]:
    """Two networks with a host each; gives the keys of what was found."""
    world = tenable.world
    berlin = world.add_network("Berlin")
    files, mail = world.add_host("files"), world.add_host("mail", network=berlin)
    return {
        "network": berlin,
        "files": files,
        "mail": mail,
        "first": world.find(files),
        "second": world.find(files, 96982),
        "third": world.find(mail),
    }


def results_of(operation: Any) -> set[tuple[str, str]]:
    from tidegate.store.models import Result

    return {(result.outcome, result.why) for result in Result.objects.filter(operation=operation)}


def exports(tenable: FakeTenable) -> int:
    """How often one was asked for."""
    return sum(question.name == "/vulns/export" for question in tenable.asked)


def test_a_life(tenable: FakeTenable):
    """Issue 8: discover, sync, sync again writes nothing, every kind of change, the Family switched off, a product
    gone, healthy again; the end state equals the vendor's truth."""
    keys, world = offices(tenable), tenable.world
    lab = world.add_network("Lab")
    scene = connected(tenable)
    first, second, third = keys["first"], keys["second"], keys["third"]
    assert (scene.open(DEFAULT), scene.open(keys["network"])) == ({first, second}, {third})
    assert exports(tenable) == 1

    before = stored()
    assert scene.sync().status == "success"
    assert stored() == before

    new = world.find(keys["mail"], 35450)
    gone = world.find(world.add_host("printer"))
    scene.sync()
    world.recast(first, "low", "Inside only.")
    world.fix(second)
    world.accept(third, "Replaced in June.")
    world.delete_host(next(uuid for uuid, host in world.hosts.items() if host.name == "printer"))
    scene.sync()
    found = scene.findings()
    assert scene.open() == {first, third, new}
    assert found[first].severity == Severity.LOW.rank
    assert (found[third].vendor_verdict, found[third].active) == (ACCEPTED, False)
    assert (found[second].closed_because, found[gone].closed_because) == ("fixed", "gone")

    world.may_export = False
    world.reopen(second)
    skipped = scene.sync()
    assert scene.open() == {first, third, new}
    assert any("403" in why for _, why in results_of(skipped))

    del world.networks[lab]
    scene.discover()
    assert scene.record(lab).absent_since is not None

    world.may_export = True
    world.networks[lab] = "Lab"
    last = world.find(world.add_host("oven", network=lab))
    scene.discover()
    assert scene.sync().status == "success"
    assert scene.record(lab).absent_since is None
    assert scene.open() == {first, second, third, new, last}


def test_one_export_serves_all_records(tenable: FakeTenable):
    """Ten thousand Records must not mean ten thousand requests."""
    keys = {tenable.world.find(tenable.world.add_host(f"h{n}", network=tenable.world.add_network(f"N{n}")))
            for n in range(30)}  # fmt: skip
    tenable.world.per_chunk = 7

    scene = connected(tenable)

    assert scene.open() == keys
    assert exports(tenable) == 1
    assert sum("/chunks/" in question.name for question in tenable.asked) == 5


def test_a_chunk_that_failed_or_expired_closes_nothing(tenable: FakeTenable):
    """Lost chunks: the law."""
    keys, world = offices(tenable), tenable.world
    world.per_chunk = 1
    scene = connected(tenable)
    open_before = scene.open()
    world.delete_host(keys["files"])

    world.fails = (1,)
    told = results_of(scene.sync())
    world.fails = ()
    tenable.interfere = lambda question: 404 if question.name.endswith("/chunks/1") else None
    scene.sync()
    tenable.interfere = lambda question: None
    world.ends = "CANCELLED"
    scene.sync()

    assert scene.open() == open_before
    assert any("1 of 1 chunks failed" in why for _, why in told)
    world.ends = "FINISHED"
    scene.sync()
    assert scene.open() == {keys["third"]}


def test_an_export_that_still_runs_from_before_is_waited_for(tenable: FakeTenable):
    """A worker that was killed leaves its export running; Tenable refuses the same one with 409."""
    offices(tenable)
    scene = connected(tenable)
    before, asked = scene.open(), exports(tenable)
    filters = next(iter(tenable.world.jobs.values())).filters
    left = tenable.world.start_export(filters, 100)
    left.looks = 99

    def ended(question: Any) -> None:
        if question.name == "/vulns/export" and exports(tenable) == asked + 3:
            left.looks = 0

    tenable.interfere = ended
    operation = scene.sync()

    assert operation.status == "success"
    assert scene.open() == before
    assert exports(tenable) == asked + 3


def test_a_start_whose_answer_is_lost_is_asked_again(tenable: FakeTenable):
    """The POST is repeated since Tenable lets no export run twice."""
    keys = offices(tenable)
    scene = connected(tenable)
    tenable.control.strike("500", at=1)
    tenable.world.fix(keys["first"])

    assert scene.sync().status == "success"
    assert scene.open() == {keys["second"], keys["third"]}


def test_a_host_that_moves_to_another_network_takes_its_findings_along(tenable: FakeTenable):
    keys = offices(tenable)
    scene = connected(tenable)
    tenable.world.hosts[keys["mail"]].network = DEFAULT

    scene.sync()

    assert scene.open(DEFAULT) == {keys["first"], keys["second"], keys["third"]}
    assert scene.open(keys["network"]) == set()


def test_by_tag_a_host_is_in_each_record_whose_tag_it_has(tenable: FakeTenable):
    world = tenable.world
    berlin, dallas = world.add_tag("Location", "Berlin"), world.add_tag("Location", "Dallas")
    world.add_tag("Owner", "Amy")
    both, one = world.add_host("both", Location=("Berlin", "Dallas")), world.add_host("one", Location=("Dallas",))
    world.find(world.add_host("untagged"))
    first, second = world.find(both), world.find(one)

    scene = connected(tenable, group_by="tag", tag_category="Location")

    assert (scene.open(berlin), scene.open(dallas)) == ({first}, {first, second})
    assert exports(tenable) == 2


def test_a_tag_that_was_renamed_or_deleted_closes_nothing(tenable: FakeTenable):
    """A filter by a name that no host has finds nothing, without an error: an empty scope is not an empty answer."""
    world = tenable.world
    berlin, dallas = world.add_tag("Location", "Berlin"), world.add_tag("Location", "Dallas")
    first = world.find(world.add_host("a", Location=("Berlin",)))
    second = world.find(world.add_host("b", Location=("Dallas",)))
    scene = connected(tenable, group_by="tag", tag_category="Location")

    world.rename_tag(berlin, "Potsdam")
    del world.values[dallas]
    told = results_of(scene.sync())

    assert (scene.open(berlin), scene.open(dallas)) == ({first}, {second})
    assert any("«Dallas» is not there any more" in why for _, why in told)


def test_by_scan_a_finding_belongs_to_the_scan_that_saw_it_last(tenable: FakeTenable):
    world = tenable.world
    weekly, daily = world.add_scan("Weekly"), world.add_scan("Daily")
    first, second = world.find(world.add_host("a", scan=weekly)), world.find(world.add_host("b", scan=daily))
    world.find(world.add_host("imported"))

    scene = connected(tenable, group_by="scan")

    assert (scene.open(weekly), scene.open(daily)) == ({first}, {second})


def test_a_right_that_is_lost_is_held_or_skipped_and_closes_nothing_alone(tenable: FakeTenable):
    """promises.md: an empty answer because the token lost a right."""
    world = tenable.world
    files = world.add_host("files")
    keys = {world.find(files, port={"port": number, "protocol": "TCP"}) for number in range(1, 31)}
    scene = connected(tenable)
    world.show_only()

    scene.sync()

    assert scene.open() == keys
    assert scene.waiting() == keys


def test_test_connection_tells_who_we_are_and_what_we_see(tenable: FakeTenable):
    from tidegate.ingest.probe import probe

    def made(**other: Any) -> Tenable:
        keys = {"access_key": tenable.access_key, "secret_key": tenable.secret_key}
        return Tenable(TenableSettings(**{"url": tenable.url, **keys, **other}))

    something, wrong = probe(made()), probe(made(secret_key="0" * 64))
    tenable.world.may_export = False
    forbidden = probe(made())
    tenable.world.may_list_networks = False
    refused = probe(made())

    assert something.steps[0].sentence == "Logged in as tidegate@acme.example of Acme."
    assert something.steps[1].sentence == "One asset group."
    assert len(something.steps) == 2
    assert exports(tenable) == 0
    assert "vulnerabilities cannot be read. GET vulns/export/status answered 403." in forbidden.steps[1].sentence
    assert something.account is not None
    assert something.account.id == "a0abbae8-512f-4b9d-93f3-74d9809a1004"
    assert not wrong.steps[-1].ok
    assert tenable.access_key not in str(wrong)
    assert "You do not have permission to list networks" in refused.steps[-1].sentence
