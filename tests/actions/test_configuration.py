"""A configuration file planned and applied on a real database: what it changes, what it leaves, and who may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from tests import world
from tests.world import ALICE
from tidegate.actions import configuration
from tidegate.actions import user as users
from tidegate.actions.configuration import apply, plan
from tidegate.actions.connection import edit_connection
from tidegate.actions.errors import Forbidden, Refused
from tidegate.actions.route import add_webhook
from tidegate.actions.validation import validate
from tidegate.catalog import stored_secrets
from tidegate.delivery.defectdojo.destination import stored_secrets as secrets_of_destination
from tidegate.guard.keys import KEY_FILE
from tidegate.reads.configuration import export
from tidegate.reads.grant import given_for_everything
from tidegate.reads.managed import managed_by
from tidegate.rules.access import Grant, granted
from tidegate.rules.actor import SINGLE_SIGN_ON, Actor
from tidegate.store import models

KEY = "connections[0].secrets.api_key"
TOKEN = "destinations[0].secrets.token"
CANARY = "canary-api-key-in-a-vault"
SECRETS = {
    KEY: SecretStr(CANARY),
    "notifications[0].address": SecretStr("mailto://u:canary-mail-word@mail.example.org"),
    TOKEN: SecretStr("canary-dojo-token"),
}
WHOLE = """\
version: 1
product_types:
  - name: Web
products:
  - {name: Web shop, product_type: Web, tags: [shop, crown jewels]}
connections:
  - label: Burp
    tool: burpsuite
    settings: {url: https://burp.example.org}
    secrets:
      api_key: {env: BURP_KEY}
    minimum_severity: low
    auto_map: true
    product_type: Web
    hold_above: 30
    schedules:
      discover: {kind: weekly, weekday: Monday, at: 12:30, zone: Europe/Berlin}
      sync: {kind: cron, cron: 30 2 * * 1-5}
    rules:
      - {pattern: shop*, product: Web shop}
      - {attribute: team, pattern: pay, template: "{team}/{name}", tags: [pay]}
      - {pattern: test*, ignore: true, because: nobody runs it}
    mappings:
      - {id: id of shop.example.org, product: Web shop}
      - {id: id of old.example.org, ignore: true, because: switched off}
notifications:
  - {name: Mail, address: {env: MAIL}, kinds: [held, needs_you], connection: Burp}
destinations:
  - name: Dojo
    settings: {url: https://dojo.example.org}
    secrets:
      token: {env: DOJO}
    product_type: Research and Development
    join_products: same name
    writes_per_minute: 60
    takes:
      - {connection: Burp}
      - {product_type: Web}
users:
  - username: anna
    grants:
      - {role: mapper, connection: Burp}
      - {role: reader, product_type: Web}
  - {username: ci, account: service, grants: [{role: operator, everything: true}]}
"""


def secrets_of(document: str) -> dict[str, SecretStr]:
    """Those that the document refers to."""
    return {path: secret for path, secret in SECRETS.items() if f"{path.rpartition('.')[2]}: {{env: " in document}


def applied(document: str = WHOLE, **how: Any) -> dict[str, str]:
    """What did not go well, by thing."""
    done = apply(ALICE, document, **{"secrets": secrets_of(document), "source": "tidegate.yaml", **how})
    return {change.what: change.sentence for change in done.changes if not change.ok}


def planned(document: str = WHOLE, **how: Any) -> list[str]:
    found = plan(ALICE, document, **{"secrets": secrets_of(document), **how})
    return [f"{one.verb} {one.what}: {', '.join(field.name for field in one.fields)}" for one in found.changes]


def stored_token(one: models.Destination) -> SecretStr:
    return secrets_of_destination(one)["token"]


def found_records() -> None:
    burp = models.Connection.objects.get(label="Burp")
    for name in ("shop.example.org", "old.example.org"):
        world.record(burp, name)


def test_a_file_makes_everything_it_names_and_a_second_time_nothing(database: object):
    assert applied() == {}
    found_records()
    assert [line.split(" ")[0] for line in planned()] == ["change", "change"]
    assert applied() == {}

    lines = models.AuditLine.objects.count()
    before = export()
    assert planned() == []
    assert applied() == {}
    assert export() == before
    assert models.AuditLine.objects.count() == lines + 3  # the plan, and the apply begun and done


def test_export_applied_to_an_empty_system_makes_the_same(database: Any):
    from tests.database import empty_all_tables

    applied()
    found_records()
    applied()
    before = export("all")
    assert before is not None
    empty_all_tables()
    values = {
        "connections[0].secrets.api_key": SecretStr("k"),
        "notifications[0].address": SECRETS["notifications[0].address"],
        TOKEN: SECRETS[TOKEN],
    }

    assert applied(before.document, secrets=values) == {}
    found_records()
    assert applied(before.document, secrets=values) == {}

    assert export("all") == before


def test_what_a_file_does_not_say_is_left_alone(database: object):
    applied()
    other = world.connection("Other")
    edit_connection(ALICE, models.Connection.objects.get(label="Burp").pk, join_by_name=True, hold_percent=70)

    found = plan(ALICE, WHOLE, secrets=SECRETS)

    assert found.changes == []
    assert found.not_managed == ["Connection «Other»"]
    assert models.Connection.objects.get(pk=other.pk).deleted_at is None


def test_what_was_edited_by_hand_is_set_back_field_by_field(database: object):
    applied()
    edit_connection(ALICE, models.Connection.objects.get(label="Burp").pk, hold_above=5, minimum_severity=4)

    (change,) = plan(ALICE, WHOLE, secrets=SECRETS).changes
    assert [(one.name, one.before, one.after) for one in change.fields] == [
        ("minimum_severity", "High", "Low"),
        ("hold_above", "5", "30"),
    ]
    assert applied() == {}
    assert models.Connection.objects.get(label="Burp").hold_above == 30


def test_nothing_is_deleted_but_where_somebody_says_so(database: object):
    applied()
    without = WHOLE[: WHOLE.index("users:")] + "users: []\n"

    assert planned(without) == []
    assert planned(without, prune=True) == ["delete user «anna»: ", "delete user «ci»: "]
    assert planned(without + "manages_all: [users]\n") == ["delete user «anna»: ", "delete user «ci»: "]
    assert applied(without, prune=True) == {}
    assert planned(without, prune=True) == []
    assert not models.User.objects.filter(is_active=True).exists()


def test_products_are_never_deleted_and_product_types_only_where_they_are_empty(database: object):
    applied()
    models.ProductType.objects.create(name="Empty")
    less = "version: 1\nproduct_types: []\nproducts: []\nconnections: []\n"

    assert planned(less, prune=True) == ["delete Connection «Burp»: ", "delete Product Type «Empty»: "]
    assert applied(less, prune=True) == {}
    assert models.Product.objects.filter(name="Web shop").exists()


def test_a_change_that_is_refused_does_not_stop_the_others(database: object):
    wrong = WHOLE.replace("{pattern: shop*, product: Web shop}", "{pattern: shop*, product: Nothing of the kind}")

    told = applied(wrong)

    assert list(told) == ["mapping rules of «Burp»"]
    assert "There is no Product «Nothing of the kind»" in told["mapping rules of «Burp»"]
    assert models.User.objects.filter(username="anna").exists()


def test_broken_off_anywhere_a_second_apply_does_the_rest(database: object, monkeypatch: pytest.MonkeyPatch):
    """Each change is whole or not at all, and what is there already is left out the next time."""
    written_down = configuration._Work._write_down
    turns, allowed = 0, 1

    def dies(work: Any, change: Any, sentence: str) -> None:
        nonlocal turns
        turns += 1
        if turns == allowed:
            raise KeyboardInterrupt  # after the change itself, in the middle of its transaction
        written_down(work, change, sentence)

    monkeypatch.setattr(configuration._Work, "_write_down", dies)
    left = []
    for turn in (1, 3, 4):
        turns, allowed = 0, turn
        with pytest.raises(KeyboardInterrupt):
            applied()
        left.append(len(planned()))
    turns, allowed = 0, 0

    assert left == [10, 8, 5]
    assert applied() == {}
    assert planned() == []


def test_every_change_has_its_own_line_in_the_audit_log_and_none_a_secret(database: object):
    applied()

    lines = list(models.AuditLine.objects.filter(action="configuration.apply").values_list("target", "facts"))
    told = str(list(models.AuditLine.objects.values_list("facts", flat=True)))

    assert {target for target, facts in lines if "change" in facts} == {
        "product type", "product", "connection", "route", "destination", "user",
    }  # fmt: skip
    assert "canary" not in told
    assert "canary" not in str(export("all"))
    assert "canary" not in repr(plan(ALICE, WHOLE, secrets=SECRETS, renew_secrets=True))


def test_a_rotated_secret_is_a_change_at_this_machine(database: object):
    applied()
    new = SECRETS | {KEY: SecretStr("another key")}

    assert planned(secrets=new) == ["change Connection «Burp»: secrets.api_key"]
    assert applied(secrets=new) == {}
    stored = stored_secrets(models.Connection.objects.get(label="Burp"))
    assert stored["api_key"] == SecretStr("another key")
    assert planned(secrets=new) == []


def test_from_afar_nobody_learns_whether_a_secret_is_the_stored_one(database: object):
    """promises.md, Secrets: write-only through API. What is told is the same for a right and a wrong guess."""
    applied()
    far = replace(ALICE, through="API")
    right, wrong = SECRETS, SECRETS | {KEY: SecretStr("a guess")}

    assert plan(far, WHOLE, secrets=right) == plan(far, WHOLE, secrets=wrong)
    assert plan(far, WHOLE, secrets=right, renew_secrets=True) == plan(far, WHOLE, secrets=wrong, renew_secrets=True)
    apply(far, WHOLE, secrets=wrong)
    assert stored_secrets(models.Connection.objects.get(label="Burp"))["api_key"] == SecretStr(CANARY)
    apply(far, WHOLE, secrets=wrong, renew_secrets=True)
    assert stored_secrets(models.Connection.objects.get(label="Burp"))["api_key"] == SecretStr("a guess")


def test_references_are_never_followed_by_the_service(database: object, tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    """A file sent to the API must not make this machine read one of its own, or run a command."""
    (tmp_path / "stolen").write_text("root:x:0")
    monkeypatch.setenv("BURP_KEY", "from the environment of the service")
    mark = tmp_path / "ran"
    for reference in (f"{{file: {tmp_path / 'stolen'}}}", f"{{command: [touch, {mark}]}}", "{env: BURP_KEY}"):
        document = WHOLE.replace("{env: BURP_KEY}", reference)

        told = applied(document, secrets={})

        assert "connections[0].secrets.api_key refers to was not given" in told["Connection «Burp»"]
    assert not mark.exists()
    assert not models.Connection.objects.exists()


def test_a_secret_that_no_key_opens_is_stored_anew(database: object, tmp_path: Any):
    applied()
    (tmp_path / "home" / KEY_FILE).unlink()

    assert planned() == [
        "change Connection «Burp»: secrets.api_key", "change notification «Mail»: address",
        "change Destination «Dojo»: secrets.token",
    ]  # fmt: skip
    assert applied() == {}
    assert planned() == []


def test_only_an_administrator_of_everything_may(database: object):
    applied()
    burp = models.Connection.objects.get(label="Burp").pk
    for grants in ([Grant("operator")], [Grant("administrator", "connection", burp)], []):
        somebody = Actor("person", "eve", granted(grants), through="API")

        for work in (plan, apply):
            with pytest.raises(Forbidden):
                work(somebody, WHOLE, secrets=SECRETS)


def test_what_a_file_names_is_managed_by_it_until_it_is_not_named(database: object):
    applied()
    burp = models.Connection.objects.get(label="Burp").pk

    for kind in ("connection", "schedule of discover", "schedule of sync", "rules"):
        assert managed_by(kind, [burp, 999]) == {burp: "tidegate.yaml"}, kind
    applied(WHOLE[: WHOLE.index("users:")])
    assert managed_by("user", range(1, 10)) == {}
    assert managed_by("product", [models.Product.objects.get(name="Web shop").pk]) != {}


def test_a_webhook_is_named_in_no_file_and_left_alone(database: object):
    """Its secret would be lost: a file that names it is refused as a whole, and an export says that it is left out."""
    name = "Hook\u2028users: []"
    add_webhook(ALICE, "Hook", SecretStr("https://hook.example.org/in"))

    with pytest.raises(
        Refused, match=r"line 2, notifications: «Hook» is a webhook, and no file manages what is signed"
    ):
        applied("version: 1\nnotifications: [{name: Hook, enabled: false}]\n")
    models.Route.objects.update(name=name)  # by SQL of somebody; nothing else lets it in
    exported = export()
    assert exported is not None
    assert "# Not managed: the webhook «Hook\N{REPLACEMENT CHARACTER}users: []».\n" in exported.document
    found = plan(ALICE, "version: 1\nnotifications: []\n", prune=True)
    assert (found.changes, found.not_managed) == ([], [f"webhook «{name}»"])


def test_another_tool_under_the_same_label_is_refused(database: object):
    applied()
    other = (
        WHOLE.replace("tool: burpsuite", "tool: report_folder")
        .replace(
            "settings: {url: https://burp.example.org}\n    secrets:\n      api_key: {env: BURP_KEY}\n",
            "auto_map: false\n",
        )
        .replace("    auto_map: true\n", "")
    )

    assert "A Connection keeps its tool" in applied(other)["Connection «Burp»"]


def test_a_file_that_is_wrong_does_nothing_at_all(database: object):
    with pytest.raises(Refused, match=r"tidegate.yaml, line 15, connections\[0\]\.hold_above: «many» cannot be used"):
        applied(WHOLE.replace("hold_above: 30", "hold_above: many"))

    assert not models.ProductType.objects.exists()


def test_the_last_administrator_stays(database: object):
    applied("version: 1\nusers: [{username: root, grants: [{role: administrator, everything: true}]}]")
    less = "version: 1\nusers: [{username: root, grants: [{role: reader, everything: true}]}]"

    assert "last administrator" in applied(less)["user «root»"]
    assert "last administrator" in applied("version: 1\nusers: []", prune=True)["user «root»"]


def test_a_role_that_a_group_gives_is_in_no_file_and_no_file_takes_it(database: object):
    """Each log-in gives it anew; written down, it would be theirs after they left the group."""
    boss = users.add_user(ALICE, "boss", grants=[Grant("administrator")])
    anna = users.add_user(ALICE, "anna")
    users.grant_role(SINGLE_SIGN_ON, anna, "operator")

    exported = export()
    assert exported is not None
    assert "operator" not in exported.document
    assert planned(exported.document, prune=True) == []
    assert applied("version: 1\nusers: [{username: anna, grants: []}, {username: boss, email: b@x.org}]") == {}
    assert given_for_everything(anna) == ("operator", True)

    assert applied("version: 1\nusers: [{username: anna, grants: [{role: operator, everything: true}]}]") == {}
    assert given_for_everything(anna) == ("operator", False)
    assert given_for_everything(boss) == ("administrator", False)


def test_that_it_was_begun_stands_in_the_audit_log_before_anything_is_done(database: object):
    """promises.md, Users: every change is audited, also where the process dies in the midst of it."""
    apply(ALICE, "version: 1\nproduct_types:\n  - name: Web\n")

    first, *others = models.AuditLine.objects.order_by("pk")
    assert (first.action, first.outcome) == ("configuration.apply", "begun")
    assert {line.outcome for line in others} == {"done"}


def test_what_cannot_be_used_is_begun_and_nothing_else(database: object):
    with pytest.raises(Refused):
        apply(ALICE, "version: 99\n")

    assert [line.outcome for line in models.AuditLine.objects.order_by("pk")] == ["begun"]


def test_a_route_goes_over_to_another_destination_and_another_url_takes_its_token_along(database: object):
    assert applied() == {}
    dojo = models.Destination.objects.get(name="Dojo")
    assert managed_by("destination", [dojo.pk]) == {dojo.pk: "tidegate.yaml"}
    before = {"destinations[1].secrets.token": SECRETS[TOKEN], TOKEN: SecretStr("canary-other-token")}
    moved = WHOLE.replace("      - {product_type: Web}\nusers", "users").replace(
        "dojo.example.org}", "new.example.org}"
    )
    moved += "manages_all: [destinations]\n"
    other = (
        "  - {name: A, settings: {url: 'https://a.example.org'}, secrets: {token: {env: A}},"
        " takes: [{product_type: Web}]}\n"
    )
    moved = moved.replace("destinations:\n", f"destinations:\n{other}", 1)  # who takes it comes before who gives it up

    found = plan(ALICE, moved, secrets=secrets_of(moved) | before)
    assert "canary" not in str(found)
    assert applied(moved, secrets=secrets_of(moved) | before) == {}
    assert planned(moved, secrets=secrets_of(moved) | before) == []

    by_name = {one.name: one for one in models.Destination.objects.all()}
    routes = models.DestinationRoute.objects.values_list("destination__name", "connection__label", "product_type__name")
    assert set(routes) == {("Dojo", "Burp", None), ("A", None, "Web")}
    assert by_name["Dojo"].settings == {"url": "https://new.example.org"}
    assert stored_token(by_name["Dojo"]) == SECRETS[TOKEN]
    assert stored_token(by_name["A"]) == before[TOKEN]

    without = moved.replace(other, "")
    assert planned(without, secrets=secrets_of(without)) == ["delete Destination «A»: "]
    assert applied(without, secrets=secrets_of(without)) == {}
    assert not models.Destination.objects.filter(name="A").exists()


@pytest.mark.parametrize(
    ("said", "path", "why"),
    [
        ("settings: {url: https://d.example, ulr: x}", "settings.ulr", "no setting"),
        ("settings: {url: https://d.example, token: canary}", "settings.token", "is a secret"),
        ("settings: {url: ftp://d.example}", "settings.url", ""),
        ("secrets: {tokn: {env: A}}", "secrets.tokn", "no such secret"),
    ],
)
def test_a_destination_is_checked_without_a_database(said: str, path: str, why: str):
    (problem,) = validate(f"version: 1\ndestinations:\n- {{name: Dojo, {said}}}").problems

    assert (problem.line, problem.path) == (3, f"destinations[0].{path}")
    assert why in problem.sentence
    assert "canary" not in str(problem)
