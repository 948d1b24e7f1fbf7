"""The life of a Connection to Security Hub, through the real SQL: what AWS does, and what is open here then."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.connectors.life import stored
from tests.ingest.scene import ALICE, Scene
from tidegate.connectors.aws_security_hub.connector import SecurityHub, SecurityHubSettings
from tidegate.demo.fake_security_hub import ROLE, SECRET, FakeSecurityHub
from tidegate.demo.fake_security_hub.server import EXTERNAL_ID
from tidegate_sdk import Severity

pytestmark = pytest.mark.usefixtures("database")
OURS, MEMBER = "111122223333/eu-west-1", "222233334444/eu-central-1"
ACCEPTED = 2
"""How an accepted finding is stored."""


def connected(hub: FakeSecurityHub, *, role: bool = False, **settings: Any) -> Scene:
    """A Connection whose Records are mapped by themselves, discovered and synced once."""
    from tidegate.actions.connection import add_connection

    entered = {**hub.settings, **({"role": ROLE, "sts_url": hub.sts_url} if role else {}), **settings}
    secret = {"secret_access_key": SecretStr(SECRET), **({"external_id": SecretStr(EXTERNAL_ID)} if role else {})}
    number = add_connection(ALICE, "aws_security_hub", "AWS", entered, secret, auto_map=True, discover=False)
    scene = Scene(None, number)  # pyright: ignore[reportArgumentType] - the world is the fake's
    scene.discover()
    scene.sync()
    return scene


def made(hub: FakeSecurityHub, **settings: Any) -> SecurityHub:
    """The Tool alone, without a Connection."""
    return SecurityHub(SecurityHubSettings(**{**hub.settings, "secret_access_key": SecretStr(SECRET), **settings}))


def populated(hub: FakeSecurityHub) -> dict[str, str]:
    """Two accounts in two regions with findings of each Family; gives their keys."""
    hub.world.add_member("222233334444")
    hub.world.link("eu-central-1")
    return {
        "control": hub.world.fail_control(),
        "passing": hub.world.fail_control(control="KMS.4"),
        "package": hub.world.find_vulnerability(),
        "threat": hub.world.find_threat(),
        "far control": hub.world.fail_control("222233334444", "eu-central-1"),
        "far package": hub.world.find_vulnerability("222233334444", "eu-central-1"),
    }


def test_a_life(hub: FakeSecurityHub):
    """Issue 8: discover, sync, sync again writes nothing, every kind of change, a Family switched off, a product gone,
    healthy again; the end state equals AWS's truth."""
    keys = populated(hub)
    scene = connected(hub, role=True)
    assert scene.open() == set(keys.values())
    assert scene.open(MEMBER) == {keys["far control"], keys["far package"]}

    before = stored()
    assert scene.sync().status == "success"
    assert stored() == before

    new = hub.world.find_threat("222233334444", "eu-central-1")
    hub.world.change(keys["control"], Severity={"Label": "LOW"})
    hub.world.pass_check(keys["passing"])
    hub.world.archive(keys["package"])
    hub.world.suppress(keys["threat"], "Known, and wanted.")
    hub.world.purge(keys["far package"])
    hub.expire()
    scene.sync()
    found = scene.findings()
    assert scene.open() == {keys["control"], keys["threat"], keys["far control"], new}
    assert found[keys["control"]].severity == Severity.LOW.rank
    assert (found[keys["threat"]].vendor_verdict, found[keys["threat"]].active) == (ACCEPTED, False)
    assert {name: found[keys[name]].closed_because for name in ("passing", "package", "far package")} == {
        "passing": "gone",  # passed checks are not asked for
        "package": "fixed",
        "far package": "gone",
    }

    hub.world.standards = False
    hub.world.change(keys["package"], RecordState="ACTIVE")
    hub.world.purge(keys["control"])
    partial = scene.sync()
    assert scene.open() == {keys[name] for name in ("control", "package", "threat", "far control")} | {new}
    assert scene.result(partial, OURS, "controls").outcome == "skipped"

    hub.world.remove_member("222233334444")
    scene.sync()
    assert {keys["far control"], new} <= scene.open()
    scene.discover()
    assert scene.record(MEMBER).absent_since is not None

    hub.world.standards = True
    hub.world.add_member("222233334444")
    last = hub.world.fail_control(control="EC2.19")
    scene.discover()
    assert scene.sync().status == "success"
    assert scene.record(MEMBER).absent_since is None
    assert scene.open() == {keys["package"], keys["threat"], keys["far control"], new, last}


def test_a_right_that_is_lost_closes_nothing(hub: FakeSecurityHub):
    keys = populated(hub)
    scene = connected(hub)
    hub.world.may_read = False

    scene.sync()

    assert scene.open() == set(keys.values())


def test_an_aggregation_that_is_switched_off_closes_nothing(hub: FakeSecurityHub):
    """GetFindings shows one region then, and an empty answer for the others: the list of places is their witness."""
    keys = populated(hub)
    scene = connected(hub)
    hub.world.linked = None

    scene.sync()

    assert scene.open() == set(keys.values())


def test_a_hub_that_is_switched_off_closes_nothing_and_says_so(hub: FakeSecurityHub):
    keys = populated(hub)
    scene = connected(hub)
    hub.world.enabled = False

    operation = scene.sync()

    assert scene.open() == set(keys.values())
    assert "not subscribed to AWS Security Hub" in scene.log(operation)


def test_keys_that_end_half_way_are_asked_for_anew(hub: FakeSecurityHub):
    """promises.md: a token that expires half-way."""
    keys = populated(hub)
    more = {hub.world.fail_control() for _ in range(150)}
    pages: list[int] = []

    def end(question: Any) -> None:
        if question.name == "/findings":
            pages.append(1)
            if len(pages) == 2:
                hub.sessions.clear()

    hub.interfere = end
    scene = connected(hub, role=True)

    assert scene.open() == {*keys.values(), *more}
    assert len(pages) > 3


def test_one_walk_serves_every_record(hub: FakeSecurityHub):
    """Ten thousand Records must not mean ten thousand requests."""
    populated(hub)
    scene = connected(hub)
    hub.asked.clear()

    scene.sync()

    assert [question.name for question in hub.asked].count("/findings") == 6


def test_a_record_may_be_an_account(hub: FakeSecurityHub):
    keys = populated(hub)
    scene = connected(hub, grouping="account")

    assert scene.open("222233334444") == {keys["far control"], keys["far package"]}
    assert scene.open("111122223333") == set(keys.values()) - scene.open("222233334444")


def test_a_server_that_breaks_off_half_way_closes_nothing(hub: FakeSecurityHub):
    keys = populated(hub)
    scene = connected(hub)
    hub.world.purge(keys["threat"])
    hub.control.strike("400", "findings", at=2)

    scene.sync()

    assert scene.open() == set(keys.values())


def test_test_connection_tells_who_we_are_and_what_is_wrong(hub: FakeSecurityHub):
    from tidegate.ingest.probe import probe

    keys = populated(hub)
    hub.world.suppress(keys["threat"])
    hub.world.pass_check(keys["passing"])
    hub.world.change(keys["package"], Severity={"Label": "LOW"})
    right = probe(made(hub))
    hub.world.may_count = False
    less = probe(made(hub))
    wrong = probe(made(hub, secret_access_key="the-secret-of-somebody-else-000000000001"))
    stranger = probe(made(hub, access_key_id="AKIASTRANGER"))
    role = probe(made(hub, role="arn:aws:iam::111122223333:role/other", sts_url=hub.sts_url))
    hub.world.enabled = False
    off = probe(made(hub))

    assert [step.sentence for step in right.steps] == [
        "Logged in as AWS account 111122223333 in eu-west-1.",
        "All 4 AWS accounts, about 4 open findings.",
    ]
    assert less.steps[-1].sentence == "All 4 AWS accounts."
    assert "does not match the signature" in wrong.steps[-1].sentence
    assert "somebody-else" not in str(wrong)
    assert "The security token included in the request is invalid" in stranger.steps[-1].sentence
    assert "cannot be assumed" in role.steps[-1].sentence
    assert "Enable Security Hub for this account in this region" in off.steps[-1].sentence
