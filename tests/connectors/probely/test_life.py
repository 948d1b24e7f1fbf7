"""The life of a Connection to Probely, through the real SQL: what the vendor does, and what is open here then."""

import pytest
from pydantic import SecretStr

from tests.connectors.life import stored
from tests.ingest.scene import ALICE, Scene
from tidegate.connectors.probely.connector import Probely, ProbelySettings
from tidegate.demo.fake_probely import FakeProbely
from tidegate_sdk import Severity

pytestmark = pytest.mark.usefixtures("database")
FALSE_POSITIVE, ACCEPTED = 1, 2
"""How a vendor's verdict is stored."""


def connected(probely: FakeProbely) -> Scene:
    """A Connection whose Records are mapped by themselves, discovered and synced once."""
    from tidegate.actions.connection import add_connection

    key = {"api_key": SecretStr(probely.api_key)}
    number = add_connection(ALICE, "probely", "Probely", {"url": probely.url}, key, auto_map=True, discover=False)
    scene = Scene(None, number)  # pyright: ignore[reportArgumentType] - the world is the fake's
    scene.discover()
    scene.sync()
    return scene


def test_a_life(probely: FakeProbely):
    """Issue 8: discover, sync, sync again writes nothing, every kind of change, the Family switched off, a product
    gone, healthy again; the end state equals the vendor's truth."""
    world = probely.world
    shop, wiki, blog = (world.add_target(name) for name in ("Shop", "Wiki", "Blog"))
    for _ in range(4):
        world.find(shop)
    world.find(wiki)
    scene = connected(probely)
    assert (scene.open(shop), scene.open(wiki)) == ({"1", "2", "3", "4"}, {"1"})

    before = stored()
    assert scene.sync().status == "success"
    assert stored() == before

    world.change(shop, "1", severity=10)
    world.change(shop, "2", state="accepted", comment="Inside only.")
    world.change(shop, "3", state="invalid")
    world.change(shop, "4", state="fixed")
    world.forget(wiki, "1")
    new = world.find(blog)
    scene.sync()
    found = scene.findings(shop)
    assert (scene.open(shop), scene.open(wiki), scene.open(blog)) == ({"1", "2", "3"}, set(), {new})
    assert found["1"].severity == Severity.LOW.rank
    assert (found["2"].vendor_verdict, found["3"].vendor_verdict) == (ACCEPTED, FALSE_POSITIVE)
    assert [found[key].active for key in ("1", "2", "3")] == [True, False, False]
    assert (found["4"].closed_because, scene.findings(wiki)["1"].closed_because) == ("fixed", "gone")

    world.may_see_findings = False
    world.change(shop, "4", state="retesting")
    scene.sync()
    assert (scene.open(shop), scene.open(blog)) == ({"1", "2", "3"}, {new})

    world.delete_target(blog)
    scene.discover()
    assert scene.record(blog).absent_since is not None

    world.may_see_findings = True
    world.change(shop, "4", state="notfixed")
    scene.discover()
    assert scene.sync().status == "success"
    assert (scene.open(shop), scene.open(blog)) == ({"1", "2", "3", "4"}, {new})


def test_the_same_number_in_two_targets_is_two_findings(probely: FakeProbely):
    world = probely.world
    shop, wiki = world.add_target("Shop"), world.add_target("Wiki")
    world.find(shop)
    world.find(wiki)
    scene = connected(probely)

    world.change(shop, "1", state="fixed")
    scene.sync()

    assert (scene.open(shop), scene.open(wiki)) == (set(), {"1"})


def test_one_walk_serves_all_targets(probely: FakeProbely):
    targets = [probely.world.add_target(f"T{number}") for number in range(60)]
    for target in targets:
        probely.world.find(target)

    scene = connected(probely)

    assert all(scene.open(target) == {"1"} for target in targets)
    assert [question.name for question in probely.asked].count("findings") == 2


def test_a_row_that_is_hidden_between_pages_is_not_closed(probely: FakeProbely):
    """Numbered pages drift: what one pass misses is looked for once more."""
    target = probely.world.add_target("Shop")
    keys = {probely.world.find(target) for _ in range(70)}
    scene = connected(probely)
    probely.control.strike("a row hidden between pages", "findings")

    scene.sync()

    assert scene.open(target) == keys


def test_a_right_that_is_lost_closes_nothing(probely: FakeProbely):
    """promises.md: an empty answer because the token lost a right."""
    shop = probely.world.add_target("Shop")
    key = probely.world.find(shop)
    scene = connected(probely)
    probely.world.show_only()

    scene.sync()

    assert scene.open(shop) == {key}


def test_the_logins_of_scans_are_kept_nowhere(probely: FakeProbely):
    """Rows hold their target with the password that scans use; a row that is set aside would keep its raw form."""
    from tidegate.store.models import Quarantine

    shop = probely.world.add_target("Shop")
    probely.world.find(shop, definition=None)
    probely.world.targets[probely.world.add_target("Odd")] = 7  # type: ignore[assignment]
    scene = connected(probely)

    assert scene.findings() == {}
    kept = [*Quarantine.objects.all()]
    assert {each.family for each in kept} == {"", "findings"}
    assert not any("hidden-away" in str(vars(each)) for each in kept)


def test_test_connection_tells_who_we_are_and_what_we_see(probely: FakeProbely):
    from tidegate.ingest.probe import probe

    def made(api_key: str = probely.api_key) -> Probely:
        return Probely(ProbelySettings.model_validate({"url": probely.url, "api_key": api_key}))

    nothing, wrong = probe(made()), probe(made("of.somebody.else00000000000000000000"))
    probely.world.add_target("Shop")
    something = probe(made())

    seen = "One target, about 0 open findings."
    assert [step.sentence for step in something.steps] == ["Logged in as Tidegate.", seen]
    assert "No targets at all" in nothing.steps[-1].sentence
    assert not wrong.steps[-1].ok
    assert "of.somebody.else" not in str(wrong)
