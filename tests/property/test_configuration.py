"""Random configurations against the real database: a plan after an apply is empty, and an export rebuilds all of it."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests import world
from tests.database import empty_all_tables
from tests.world import ALICE
from tidegate.actions.configuration import apply, plan
from tidegate.reads.configuration import export
from tidegate.rules.configuration import RecordMapping
from tidegate.rules.configuration_file import read
from tidegate.store import models

WORDS = ("Web", "no", "12:30", "Köln & Søn", "a: b # c", "'", "null", "{x}", "*star")
LABELS = ("Burp", "no", "Öst: 2")


class WithoutAnchors(yaml.SafeDumper):
    """Writes out what is said twice, as a person has to."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


words, flags = st.sampled_from(WORDS), st.booleans()


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


schedule = st.one_of(
    st.just({"kind": "off"}),
    st.builds(
        lambda h, z: {"kind": "hours", "hours": h, "zone": z}, st.sampled_from((1, 6, 24)), st.just("Asia/Tokyo")
    ),
    st.builds(
        lambda d, a: {"kind": "weekly", "weekday": d, "at": a}, st.sampled_from(("Monday", "sunday")), st.just("12:30")
    ),
    st.just({"kind": "cron", "cron": "30 2 * * 1-5", "spread_minutes": 0}),
)
rule = st.one_of(
    st.builds(lambda p, b: {"pattern": p, "ignore": True, "because": b}, words, words),
    st.builds(lambda p, t: {"pattern": p, "product": t, "case_matters": True}, words, words),
    st.builds(
        lambda p, k, t: {"attribute": "team", "pattern": p, "template": "{team}/{name}", "product_type": k, "tags": t},
        words, words, st.lists(words, max_size=2),
    ),
)  # fmt: skip
mapping = st.one_of(words.map(lambda p: {"product": p}), words.map(lambda b: {"ignore": True, "because": b}))
details = some(
    minimum_severity=st.sampled_from(("Info", "unknown", "Critical")),
    auto_map=flags,
    join_by_name=flags,
    product_type=words,
    hold_above=st.integers(0, 32_767),
    close_branches_after=st.integers(0, 3_650),
    hold_percent=st.integers(1, 100),
    paused=flags,
    schedules=some(discover=schedule, sync=schedule),
    rules=st.lists(rule, max_size=3),
    mappings=st.dictionaries(words, mapping, max_size=3),
)


destination = some(
    product_type=st.one_of(words, st.none()),
    engagement_name=words,
    join_products=st.sampled_from(("ask", "same name")),
    writes_per_minute=st.integers(1, 6_000),
    enabled=flags,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    connections = [
        {
            "label": label,
            "tool": "burpsuite",
            "settings": {"url": "https://burp.example.org"},
            "secrets": {"api_key": {"env": "KEY"}},
            **said,
            "mappings": [{"id": id, **what} for id, what in said.get("mappings", {}).items()],
        }
        for label, said in draw(st.dictionaries(st.sampled_from(LABELS), details, max_size=2)).items()
    ]
    labels = [one["label"] for one in connections]
    routes = draw(
        st.dictionaries(
            words, some(kinds=st.sets(st.sampled_from(("held", "overdue"))).map(sorted), enabled=flags), max_size=2
        )
    )
    grants = st.lists(
        st.one_of(
            st.just({"role": "operator", "everything": True}),
            st.builds(lambda n: {"role": "mapper", "product": n}, words),
            st.builds(lambda n: {"role": "reader", "connection": n}, st.sampled_from(labels))
            if labels
            else st.nothing(),
        ),
        max_size=3,
        unique_by=lambda one: one.get("product") or one.get("connection") or "everything",
    )
    places = [{"connection": label} for label in labels] + [{"product_type": word} for word in WORDS[:2]]
    goes_to = draw(st.lists(st.sampled_from(("A", "B", "nowhere")), min_size=len(places), max_size=len(places)))
    destinations = [
        {
            "name": name,
            "settings": {"url": f"https://{name}.dojo.example.org/"},
            "secrets": {"token": {"env": "TOKEN"}},
            **draw(destination),
            "takes": [place for place, to in zip(places, goes_to, strict=True) if to == name],
        }
        for name in draw(st.sampled_from(((), ("B",), ("B", "A"))))
    ]
    users = draw(
        st.dictionaries(
            st.sampled_from(("anna", "Bo", "ci")),
            st.fixed_dictionaries({"grants": grants}, optional={"account": st.sampled_from(("person", "service"))}),
            max_size=2,
        )
    )
    return yaml.dump(
        {
            "version": 1,
            "product_types": [{"name": word} for word in sorted(draw(st.sets(words, max_size=3)) | {*WORDS[:2]})],
            "products": [
                {"name": word, "product_type": draw(words), "tags": draw(st.lists(words, max_size=2))} for word in WORDS
            ],
            "connections": connections,
            "notifications": [
                {"name": name, "address": {"env": "MAIL"}, **what, **({"connection": labels[0]} if labels else {})}
                for name, what in routes.items()
            ],
            "destinations": destinations,
            "users": [{"username": name, **what} for name, what in users.items()],
        },
        Dumper=WithoutAnchors,
        allow_unicode=True,
    )


def applied(document: str) -> None:
    """Applied, its Records found by a Discover, and applied again for their mappings."""
    for _ in range(2):
        done = apply(ALICE, document, secrets=secrets_of(document), source="tidegate.yaml")
        assert [(one.what, one.sentence) for one in done.changes if not one.ok] == []
        for one in read(document).of(RecordMapping):
            connection = models.Connection.objects.get(label=one.connection)
            if not models.Record.objects.filter(connection=connection, vendor_id=one.vendor_id).exists():
                world.record(connection, one.vendor_id, vendor_id=one.vendor_id)


def secrets_of(document: str) -> dict[str, SecretStr]:
    return {
        one.path: SecretStr("mailto://u:word@mail.example.org" if one.path.endswith("address") else "key")
        for one in read(document).references()
    }


@settings(
    max_examples=3,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to make one smaller would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(document=documents())
def test_a_plan_after_an_apply_is_empty_and_an_export_rebuilds_it(database: object, document: str):
    empty_all_tables()
    applied(document)

    found = plan(ALICE, document, secrets=secrets_of(document))
    assert (found.changes, found.waiting) == ([], [])
    exported = export("all")
    assert exported is not None
    assert plan(ALICE, exported.document, secrets=secrets_of(exported.document), prune=True).changes == []

    empty_all_tables()
    applied(exported.document)
    assert export("all") == exported
