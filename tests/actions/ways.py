"""Each action's way to be called: on one side of a world of two, that of the actor or the other one's."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from tests import world
from tests.world import ALICE
from tidegate.actions import connection as connections
from tidegate.actions import destination as destinations
from tidegate.actions import finding as findings
from tidegate.actions import record as records
from tidegate.actions import route as routes
from tidegate.actions import rule as rules
from tidegate.actions import suggestion as suggestions
from tidegate.actions import token as tokens
from tidegate.actions import trigger as triggers
from tidegate.actions import user as users
from tidegate.config import load_settings
from tidegate.guard.secrets import seal
from tidegate.rules.access import ROLES, Grant, Role, ScopeKind
from tidegate.store import models

CANARY = "c4nary-s3cret"
HOOK = f"json://127.0.0.1:1/{CANARY}"
NOWHERE = {"url": "http://127.0.0.1:1"}
"""The URL of a server where nobody answers."""


@dataclass(frozen=True)
class Side:
    """What lies together: in one Connection, Product and Product Type."""

    name: str
    connection: int
    product_type: int
    product: int
    second: int
    """Another Product of the same type."""
    shop: int
    """A Record that is mapped to the Product, with findings."""
    new: int
    """One that nobody decided."""
    missing: int
    """One that is mapped and no longer in the tool."""
    finding: int
    sync: int
    held: int
    """An Operation that holds an absence."""
    failed: int
    rule: int
    route: int
    destination: int
    engagement: int
    test: int


def side(name: str) -> Side:
    """Builds it, under names that stand nowhere else."""
    of = connections.add_connection(
        ALICE, "acme", f"{name} scanner", {}, {"token": SecretStr("acme-secret-token")}, discover=False
    )
    acme = models.Connection.objects.get(pk=of)
    product = world.product(f"{name} product", f"{name} type")
    second = world.product(f"{name} second", f"{name} type")
    shop, new, missing = (
        world.record(acme, f"{name} {what}", parent=f"{name} folder") for what in ("shop", "new", "missing")
    )
    records.map_records(ALICE, [shop, missing], product_id=product)
    models.Record.objects.filter(pk=missing).update(absent_since=world.now())
    (finding,) = world.synced(shop, f"{name} k1", title=f"{name} weakness")
    held = world.operation(acme, "discover", ended_at=world.now(), why=f"{name} message")
    models.HeldAbsence.objects.create(record_id=shop, connection_id=of, since_operation=held, latest_operation=held)
    failed = world.operation(acme, "sync", "failed", ended_at=world.now(), cause=f"{name} failure")
    feed = world.read(shop).feed
    assert feed is not None
    return Side(
        name,
        connection=of,
        product_type=models.Product.objects.get(pk=product).product_type_id,
        product=product,
        second=second,
        shop=shop,
        new=new,
        missing=missing,
        finding=finding,
        sync=models.Operation.objects.filter(connection=acme, type="sync", status="success").latest("pk").pk,
        held=held.pk,
        failed=failed.pk,
        rule=rules.add_rule(ALICE, of, rules.new_rule(f"{name}*", ignore=True)).rules[0],
        route=routes.add_route(ALICE, f"{name} route", SecretStr(HOOK), connection_id=of),
        destination=destinations.add_destination(ALICE, f"{name} destination", NOWHERE, {"token": SecretStr(CANARY)}),
        engagement=feed.test.engagement_id,
        test=feed.test_id,
    )


CAROL = "carol"
"""Who tries."""


def user(name: str) -> int:
    """Somebody who may do everything where the actor of a try is bounded."""
    return users.add_user(ALICE, name, grants=[Grant("administrator")])


Arguments = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """How an action is called, and what is particular about who may."""

    arguments: Callable[[Side], Arguments]
    """Makes what the call needs (as somebody who may), and says the arguments."""
    also: Mapping[ScopeKind, str]
    """What a role for this scope needs beside it: the same role for another thing of the side, as `scope:name`."""
    not_by: frozenset[str]
    """Scopes that see the thing and never suffice."""
    others: str
    """What somebody hears who holds the role elsewhere: "" as everywhere, or "does nothing" and "does it"."""
    commits: bool
    """It commits by itself, batch by batch, so it cannot be tried inside a transaction; it finds nothing to do here."""
    particular: Callable[[Any, str], str]
    """Of a role and a reach, what is expected there, where it is not as everywhere; else empty."""
    by_hand: bool
    """The actor comes without a token."""
    refuses: str
    """How it refuses for a reason of its own, where it cannot do its work in this world."""


WAYS: dict[str, Way] = {}


def way(
    name: str,
    *,
    also: Mapping[ScopeKind, str] | None = None,
    not_by: tuple[ScopeKind, ...] = (),
    others: str = "",
    commits: bool = False,
    particular: Callable[[Any, str], str] = lambda role, reach: "",
    by_hand: bool = False,
    refuses: str = "",
) -> Callable[[Callable[[Side], Arguments]], Callable[[Side], Arguments]]:
    """The line of one action in the table; `name, what` where it has several."""

    def keep(arguments: Callable[[Side], Arguments]) -> Callable[[Side], Arguments]:
        assert name not in WAYS
        WAYS[name] = Way(arguments, also or {}, frozenset(not_by), others, commits, particular, by_hand, refuses)
        return arguments

    return keep


def plain(name: str, arguments: Callable[[Side], Arguments], **particular: Any) -> None:
    """A line that has nothing to prepare."""
    way(name, **particular)(arguments)


# Connections

ENTERED: Arguments = {"tool": "acme", "settings": {}, "secrets": {"token": SecretStr(CANARY)}}

plain("connection.add_connection", lambda s: ENTERED | {"label": "Another"})
plain("connection.draft_connection", lambda s: ENTERED | {"label": "Another"})
plain("connection.try_settings", lambda s: ENTERED)


def a_draft() -> int:
    return connections.draft_connection(ALICE, **ENTERED, label="Draft")


plain("connection.save_draft", lambda s: {"connection_id": a_draft()})
plain("connection.drop_draft", lambda s: {"connection_id": a_draft()})
plain(
    "connection.edit_connection",
    lambda s: {"connection_id": s.connection, "label": "Renamed", "secrets": {"token": SecretStr(CANARY)}},
)
plain("connection.pause_connection", lambda s: {"connection_id": s.connection, "because": "a reason"})
plain("connection.delete_connection", lambda s: {"connection_id": s.connection, "typed_label": f"{s.name} scanner"})
plain("connection.test_connection", lambda s: {"connection_id": s.connection})


@way("connection.resume_connection")
def _(s: Side) -> Arguments:
    connections.pause_connection(ALICE, s.connection)
    return {"connection_id": s.connection}


plain(
    "schedule.set_schedule", lambda s: {"connection_id": s.connection, "type": "discover", "hours": 4, "kind": "hours"}
)

# Records and findings

plain(
    "record.map_records",
    lambda s: {"record_ids": [s.shop], "product_id": s.second},
    also={"connection": "product:second", "product": "product:second"},
)
plain(
    "record.map_records, to a new Product",
    lambda s: {"record_ids": [s.shop], "new_product": "Brand new", "product_type": f"{s.name} type"},
    also={"connection": "product type:product_type", "product": "product type:product_type"},
)
plain("record.ignore_records", lambda s: {"record_ids": [s.shop], "because": "a reason"})
plain("record.delete_records", lambda s: {"record_ids": [s.shop]})


@way("record.restore_records")
def _(s: Side) -> Arguments:
    return {"record_ids": [s.shop]}


@way(
    "record.restore_records, to the earlier Product",
    also={"connection": "product:product"},
)
def _(s: Side) -> Arguments:
    records.ignore_records(ALICE, [s.shop])
    return {"record_ids": [s.shop], "to_earlier": True}


@way("record.undo", also={"connection": "product:product", "product": "product:product"})
def _(s: Side) -> Arguments:
    records.map_records(ALICE, [s.shop], product_id=s.second)
    return {"record_id": s.shop}


@way("record.undo, of a step", also={"connection": "product:product", "product": "product:product"})
def _(s: Side) -> Arguments:
    return {"step": records.map_records(ALICE, [s.shop], product_id=s.second).step}


plain("bulk.decide_records", lambda s: {"deed": "ignore", "record_ids": [s.shop], "because": "a reason"})
plain(
    "bulk.decide_records, each to its own name",
    lambda s: {"deed": "map each", "record_ids": [s.shop], "product_type": f"{s.name} type"},
    also={"connection": "product type:product_type", "product": "product type:product_type"},
)
plain("bulk.sync_records", lambda s: {"record_ids": [s.shop]})


def of_what_is_found(role: Role, needed: Role, reach: str) -> str:
    """A filter finds what the actor holds the role for; where that is nothing, others were expected."""
    if ROLES.index(role) < ROLES.index(needed) or reach == "none":
        return "Forbidden"
    return "refuses" if reach == "other's" else "does it"


plain(
    "bulk.decide_records, by a filter",
    lambda s: {"deed": "ignore", "matching": {"search": f"{s.name} shop"}, "expected": "1"},
    particular=lambda role, reach: of_what_is_found(role, "mapper", reach),
)
plain(
    "bulk.sync_records, by a filter",
    lambda s: {"matching": {"search": f"{s.name} shop"}, "expected": "1"},
    particular=lambda role, reach: of_what_is_found(role, "operator", reach),
)
plain("finding.decide_findings", lambda s: {"finding_ids": [s.finding], "note": "a note"})
plain(
    "finding.decide_findings, by a filter",
    lambda s: {"matching": {"record_id": s.shop}, "expected": "1", "note": "a note"},
    particular=lambda role, reach: of_what_is_found(role, "mapper", reach),
)
plain(
    "finding.close_findings, by a filter",
    lambda s: {"matching": {"record_id": s.shop}, "expected": "1"},
    particular=lambda role, reach: of_what_is_found(role, "mapper", reach),
)
plain("finding.decide_finding", lambda s: {"finding_id": s.finding, "note": "a note"})
plain("finding.close_findings", lambda s: {"finding_ids": [s.finding]})


def of_a_step_about_findings(role: Role, reach: str) -> str:
    """The findings of a step are found where the actor sees them; where there are none there is no such step."""
    found = of_what_is_found(role, "mapper", reach)
    return "NotThere" if found == "refuses" else found


@way("finding.undo")
def _(s: Side) -> Arguments:
    findings.decide_finding(ALICE, s.finding, verdict="false positive")
    return {"finding_id": s.finding}


@way("finding.undo, of a step", particular=of_a_step_about_findings)
def _(s: Side) -> Arguments:
    return {"step": findings.decide_findings(ALICE, [s.finding], verdict="false positive").step}


plain("suggestion.accept_suggestion", lambda s: {"missing_id": s.missing, "new_id": s.new})
plain("suggestion.dismiss_suggestion", lambda s: {"missing_id": s.missing, "new_id": s.new})


@way("suggestion.suggest_again")
def _(s: Side) -> Arguments:
    suggestions.dismiss_suggestion(ALICE, s.missing, s.new)
    return {"missing_id": s.missing, "new_id": s.new}


def a_file(s: Side) -> Arguments:
    head = "connection,vendor_id,decision,product,reason"
    return {"file": [head + "\r\n", f"{s.name} scanner,id of {s.name} shop,ignored,,a reason\r\n"]}


plain("mapping.import_mappings", a_file, others="does nothing")

# Mapping rules

plain("rule.add_rule", lambda s: {"connection_id": s.connection, "rule": rules.new_rule("a", ignore=True)})
plain("rule.save_rules", lambda s: {"connection_id": s.connection, "rules": [rules.new_rule("a", ignore=True)]})
plain("rule.edit_rule", lambda s: {"rule_id": s.rule, "rule": rules.new_rule("a", ignore=True)})
plain("rule.move_rule", lambda s: {"rule_id": s.rule, "position": 1})
plain("rule.delete_rule", lambda s: {"rule_id": s.rule})

# Operations

plain("operation.request_discover", lambda s: {"connection_id": s.connection})
plain("operation.request_discover_preview", lambda s: {"connection_id": s.connection})
plain("operation.request_sync", lambda s: {"connection_id": s.connection, "record_ids": [s.shop]})
plain("operation.request_sync, of the Connection", lambda s: {"connection_id": s.connection})
plain("operation.request_sync_preview", lambda s: {"connection_id": s.connection, "record_ids": [s.shop]})
plain("operation.request_sync_preview, of the Connection", lambda s: {"connection_id": s.connection})
plain("operation.request_sync_of_product", lambda s: {"product_id": s.product})
plain("operation.request_again", lambda s: {"operation_id": s.failed})
plain("operation.approve", lambda s: {"operation_id": s.held})
plain("operation.keep_open", lambda s: {"operation_id": s.held})
plain("undo.undo_sync", lambda s: {"operation_id": s.sync}, refuses="was applied to no Record")


@way("operation.cancel")
def _(s: Side) -> Arguments:
    acme = models.Connection.objects.get(pk=s.connection)
    models.Operation.objects.filter(connection=acme, status="pending").delete()
    return {"operation_id": world.operation(acme, "sync", "pending").pk}


# Products

plain("product_type.add_product_type", lambda s: {"name": "Another type"})
plain("product_type.rename_product_type", lambda s: {"product_type_id": s.product_type, "name": "Another type"})
plain(
    "product_type.delete_product_type",
    lambda s: {"product_type_id": s.product_type, "typed_name": f"{s.name} type"},
    refuses="Products are in",
)
plain("product.add_product", lambda s: {"name": "Another", "product_type_id": s.product_type})
plain("product.add_product, of no Product Type", lambda s: {"name": "Another"})
plain("product.edit_product", lambda s: {"product_id": s.product, "name": "Renamed", "tags": ["a"]})


plain("product.delete_product", lambda s: {"product_id": s.product, "typed_name": f"{s.name} product"})
plain("engagement.rename_engagement", lambda s: {"engagement_id": s.engagement, "name": "Renamed"})
plain(
    "engagement.delete_engagement",
    lambda s: {"engagement_id": s.engagement, "typed_name": models.Engagement.objects.get(pk=s.engagement).name},
)
plain("test.rename_test", lambda s: {"test_id": s.test, "name": "Renamed"})
plain("test.delete_test", lambda s: {"test_id": s.test, "typed_name": models.Test.objects.get(pk=s.test).name})

# News

plain("route.add_route", lambda s: {"name": "Team", "address": SecretStr(HOOK), "connection_id": s.connection})
plain("route.add_route, for everything", lambda s: {"name": "Team", "address": SecretStr(HOOK)})
plain(
    "route.add_webhook",
    lambda s: {"name": "Hook", "address": SecretStr("https://127.0.0.1:1/x"), "connection_id": s.connection},
)
plain("route.edit_route", lambda s: {"route_id": s.route, "name": "Crew", "address": SecretStr(HOOK)})
plain("route.remove_route", lambda s: {"route_id": s.route})
plain("route.test_route", lambda s: {"route_id": s.route})
plain("route.try_address", lambda s: {"name": "Team", "address": SecretStr(HOOK), "send": False}, others="does it")


@way("route.new_signing_secret")
def _(s: Side) -> Arguments:
    made = routes.add_webhook(ALICE, "Hook", SecretStr("https://127.0.0.1:1/x"), connection_id=s.connection)
    return {"route_id": made.route_id, "signing_secret": SecretStr(f"whsec_{b64encode(CANARY.encode() * 3).decode()}")}


def of_its_connection(role: str, reach: str) -> str:
    """News are of their Connection: a role for a Product does not reach them."""
    if reach in ("own product", "own product type"):
        return "NotThere" if role in ("operator", "administrator") else "Forbidden"
    return ""


@way("route.replay_news", particular=of_its_connection)
def _(s: Side) -> Arguments:
    facts = {"kind": "new_records", "connection_id": s.connection, "operation_id": s.sync, "facts": {}}
    return {"news_id": models.News.objects.create(**facts).pk, "route_id": s.route}


# Destinations

plain(
    "destination.add_destination",
    lambda s: {"name": "Another", "settings": NOWHERE, "secrets": {"token": SecretStr(CANARY)}},
)
plain(
    "destination.edit_destination",
    lambda s: {"destination_id": s.destination, "name": "Renamed", "secrets": {"token": SecretStr(CANARY)}},
)
plain(
    "destination.delete_destination",
    lambda s: {"destination_id": s.destination, "typed_name": f"{s.name} destination"},
)
plain("destination.test_destination", lambda s: {"destination_id": s.destination})
plain("destination.try_destination", lambda s: {"settings": NOWHERE, "secrets": {"token": SecretStr(CANARY)}})
plain(
    "destination.add_destination_route",
    lambda s: {"destination_id": s.destination, "connection_id": s.connection},
)


@way("destination.remove_destination_route")
def _(s: Side) -> Arguments:
    return {"route_id": destinations.add_destination_route(ALICE, s.destination, product_type_id=s.product_type)}


def routed(s: Side) -> Arguments:
    destinations.add_destination_route(ALICE, s.destination, connection_id=s.connection)
    return {"connection_id": s.connection, "destination_id": s.destination}


way("delivery.request_delivery")(routed)
way("delivery.request_delivery_preview")(routed)
way("delivery.request_repair")(routed)


def sealed_anew(destination: int) -> int:
    """Its token is opened, and another test may have made a new key since it was sealed."""
    token = seal({"token": SecretStr(CANARY)}, f"destination {destination}", load_settings())
    models.Destination.objects.filter(pk=destination).update(secrets=token)
    return destination


plain(
    "delivery.join_product",
    lambda s: {"destination_id": sealed_anew(s.destination), "product_id": s.product, "their_id": 7},
    refuses="times running",
)

# People

PASSWORD = SecretStr(f"{CANARY} long enough")


def id_of(name: str) -> int:
    return models.User.objects.get(username=name).pk


def a_token(name: str) -> int:
    return tokens.add_token(ALICE, "scripts", user_id=id_of(name), grants=[Grant("reader")]).id


def of_another(role: str, reach: str) -> str:
    """What belongs to another user: an administrator of everything does it, who sees everything may not, and to
    everybody else it is not there."""
    if reach == "everything":
        return "does it" if role == "administrator" else "Forbidden"
    return "Forbidden" if reach == "none" else "NotThere"


plain("user.add_user", lambda s: {"name": "dave", "password": PASSWORD})
plain("user.edit_user", lambda s: {"user_id": id_of("eve"), "email": "eve@example.org"})
plain("user.grant_role", lambda s: {"user_id": id_of("eve"), "role": "reader", "scope": "product", "id": s.product})
plain("user.take_role", lambda s: {"user_id": id_of("eve")})
plain("user.set_password", lambda s: {"user_id": id_of("eve"), "password": PASSWORD})
plain("user.deactivate_user", lambda s: {"user_id": id_of("eve")})
plain("user.reset_second_factor", lambda s: {"user_id": id_of("eve")}, refuses="has no second factor")


@way("user.reactivate_user")
def _(s: Side) -> Arguments:
    users.deactivate_user(ALICE, id_of("eve"))
    return {"user_id": id_of("eve")}


plain("user.log_out_everywhere", lambda s: {"user_id": id_of(CAROL), "also_tokens": True}, others="does it")
plain("user.log_out_everywhere, another", lambda s: {"user_id": id_of("eve")}, particular=of_another)
plain(
    "token.add_token",
    lambda s: {"name": "scripts", "user_id": id_of(CAROL), "grants": [Grant("reader", "product", s.product)]},
    also={"connection": "product:product"},
    by_hand=True,
)
plain(
    "token.add_token, for another",
    lambda s: {"name": "scripts", "user_id": id_of("eve"), "grants": [Grant("reader", "product", s.product)]},
    particular=of_another,
    by_hand=True,
)
plain("token.revoke_token", lambda s: {"token_id": a_token(CAROL)}, others="does it")
plain("token.revoke_token, of another", lambda s: {"token_id": a_token("eve")}, particular=of_another)

plain("trigger.new_trigger_secret", lambda s: {"connection_id": s.connection})


@way("trigger.remove_trigger")
def _(s: Side) -> Arguments:
    triggers.new_trigger_secret(ALICE, s.connection)
    return {"connection_id": s.connection}


# The whole house

plain("secret.rotate_secrets", lambda s: {"settings": load_settings()})
plain("retention.forget_now", lambda s: {"settings": load_settings()}, commits=True)
plain("doctor.mend_queue", lambda s: {})
plain("doctor.mend_spools", lambda s: {})


def of_a_file(s: Side) -> Arguments:
    document = f"""\
version: 1
connections:
  - label: Of a file of {s.name}
    tool: acme
    secrets:
      token: {{env: ACME_TOKEN}}
"""
    return {"document": document, "secrets": {"connections[0].secrets.token": SecretStr(CANARY)}}


def a_type(s: Side) -> Arguments:
    return {"document": f"version: 1\nproduct_types:\n  - name: {s.name} type\n", "secrets": {}}


plain("configuration.plan", of_a_file)
plain("configuration.apply", a_type)  # what it does to a Connection has lines of its own
