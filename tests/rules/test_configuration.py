"""What may stand in a configuration file, and what is said of one that is wrong: by line and path."""

from __future__ import annotations

from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tidegate.rules.configuration import SEVERITIES, ConfigurationRefused, Connection, Reference
from tidegate.rules.configuration_change import as_fields, difference
from tidegate.rules.configuration_file import read
from tidegate.rules.yaml_tree import MOST_LETTERS, YamlRefused, tree
from tidegate_sdk import Severity

DOJO = "version: 1\ndestinations:\n- {name: Dojo"
ALL = "everything: true"
BURP = "version: 1\nconnections:\n- {label: Burp, tool: burpsuite"


def wrong(text: str) -> tuple[int, str, str]:
    with pytest.raises(ConfigurationRefused) as refused:
        read(text)
    first = refused.value.problems[0]
    assert first.next_step
    return first.line, first.path, first.sentence


@pytest.mark.parametrize(
    ("text", "line", "path", "sentence"),
    [
        ("connections: []", 1, "", "version is missing."),
        ("version: 2", 1, "version", "Version 2 is not read here."),
        ("- 1", 1, "", "This is no configuration."),
        ("version: 1\nconections: []", 2, "conections", "«conections» is not known here."),
        ("version: 1\nconnections: Burp", 2, "connections", "It has to be a list."),
        ("version: 1\nconnections:\n- Burp", 3, "connections[0]", "It has to have names."),
        (f"{BURP}, auto_map: on}}", 3, "connections[0].auto_map", "«on» is neither true nor false."),
        (f"{BURP}, minimum_severity: bad}}", 3, "connections[0].minimum_severity", "«bad» is not known."),
        (f"{BURP}, hold_percent: 101}}", 3, "connections[0].hold_percent", "«101» cannot be used."),
        (
            f"{BURP}, schedules: {{sync: {{kind: cron, cron: nightly}}}}}}",
            3,
            "connections[0].schedules.sync.cron",
            "«nightly»",
        ),
        (
            f"{BURP}, schedules: {{sync: {{kind: daily, at: 02:00, zone: Berlin}}}}}}",
            3,
            "connections[0].schedules.sync.zone",
            "«Berlin»",
        ),
        (
            f"{BURP}, schedules: {{sync: {{kind: hours, hours: 6, at: 02:00}}}}}}",
            3,
            "connections[0].schedules.sync.at",
            "A schedule of the kind hours has no at.",
        ),
        (f"{BURP}, rules: [{{pattern: a}}]}}", 3, "connections[0].rules[0]", "It is not clear what the rule answers."),
        (
            f"{BURP}, rules: [{{pattern: '(', syntax: regex, ignore: true}}]}}",
            3,
            "connections[0].rules[0]",
            "The pattern",
        ),
        (f"{BURP}, mappings: [{{id: a}}]}}", 3, "connections[0].mappings[0]", "It is not clear what becomes of it."),
        (f"{BURP}, mappings: [{{id: {'x' * 4001}, ignore: true}}]}}", 3, "connections[0].mappings[0].id", "No Record"),
        (
            f"{BURP}, mappings: [{{id: a, product: b, because: c}}]}}",
            3,
            "connections[0].mappings[0].because",
            "A reason says why something is ignored",
        ),
        (f"{BURP}, product_type: [a]}}", 3, "connections[0].product_type", "It has to be a text."),
        (f"{BURP}, schedules: [daily]}}", 3, "connections[0].schedules", "It has to have names itself."),
        (
            f"{BURP}, schedules: {{sync: {{kind: daily}}}}}}",
            3,
            "connections[0].schedules.sync",
            "A schedule of the kind",
        ),
        (f"{BURP}, schedules: {{sync: {{at: 02:00}}}}}}", 3, "connections[0].schedules.sync", "kind is missing."),
        ("version: 1\nmanages_all: [people]", 2, "manages_all", "«people» is not known."),
        ("version: 1\nmanages_all: people", 2, "manages_all", "It has to be a list of texts."),
        ('version: 1\nproduct_types: [{name: "a\\u0000"}]', 2, "product_types[0].name", "The name of the Product Type"),
        (
            "version: 1\nnotifications: [{name: a, address: {env: A}, kinds: [weather]}]",
            2,
            "notifications[0].kinds[0]",
            "«weather» is not known.",
        ),
        (
            f"version: 1\nusers: [{{username: a, grants: [{{role: reader, {ALL}}}, {{role: mapper, {ALL}}}]}}]",
            2,
            "",
            "has two roles for the same.",
        ),
        (f"{BURP}}}\n- {{label: Burp, tool: x}}", 4, "", "The Connection «Burp» stands on line 3 already."),
        (
            "version: 1\nusers:\n- {username: anna, grants: [{role: king, everything: true}]}",
            3,
            "users[0].grants[0].role",
            "«king» is not known.",
        ),
        (
            "version: 1\nusers:\n- {username: anna, grants: [{role: reader}]}",
            3,
            "users[0].grants[0]",
            "It is not clear what the role is for.",
        ),
        (f"{DOJO}, writes_per_minute: 6001}}", 3, "destinations[0].writes_per_minute", "«6001» cannot be used."),
        (f"{DOJO}, join_products: always}}", 3, "destinations[0].join_products", "«always» is not known."),
        (
            f"{DOJO}, takes: [{{connection: A, the_rest: true}}]}}",
            3,
            "destinations[0].takes[0]",
            "It is not clear what goes there.",
        ),
        (
            f"{DOJO}, takes: [{{the_rest: true}}]}}\n- {{name: Other, takes: [{{the_rest: true}}]}}",
            4,
            "destinations[1]",
            "The Destination «Dojo» takes the rest already.",
        ),
        ("version: 1\nmanages_all: [products]\nproducts: []", 2, "manages_all", "Products hold findings"),
        ("version: 1\nmanages_all: [users]", 2, "manages_all", "It names users, and the file has none."),
        ("version: 1\nproducts:\n- {name: '  '}", 3, "products[0].name", "The name of the Product is empty"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_path(text: str, line: int, path: str, sentence: str):
    told = wrong(text)

    assert told[:2] == (line, path)
    assert told[2].startswith(sentence) or sentence in told[2]


@pytest.mark.parametrize(
    "secret",
    [
        "canary",
        "{value: canary}",
        "[canary]",
        "{env: canary=1}",
        "{env: A, file: canary}",
        "{command: canary}",
        "{env: }",
    ],
)
def test_a_secret_in_the_file_itself_is_refused_and_never_repeated(secret: str):
    line, path, sentence = wrong(f"{BURP}, secrets: {{api_key: {secret}}}}}")

    assert (line, path) == (3, "connections[0].secrets.api_key")
    assert "canary" not in sentence


def test_references_say_where_a_secret_is():
    text = f"{BURP}, secrets: {{a: {{env: A}}, b: {{file: /run/b}}, c: {{command: [pass, show, it]}}}}}}"

    assert [(one.path, one.source, one.place) for one in read(text).references()] == [
        ("connections[0].secrets.a", "env", ("A",)),
        ("connections[0].secrets.b", "file", ("/run/b",)),
        ("connections[0].secrets.c", "command", ("pass", "show", "it")),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: &x [1]\nb: *x", "Anchors and aliases"),
        ("a: &a ['x', 'x']\nb: &b [*a, *a]\nc: [*b, *b]", "Anchors and aliases"),
        ("<<: {a: 1}\n<<: {b: 2}", "stands on line 1 already"),
        ("a: 1\nb: 2\na: 3", "«a» stands on line 1 already"),
        ("a: !!python/object/apply:os.system [id]", "Tags such as"),
        ("[" * 100_000, "nested too deep"),
        ("{a: " * 10_000, "nested too deep"),
        ("--- 1\n--- 2", "more than one document"),
        ("", "The file is empty"),
        ("a: [", "This is no YAML"),
        ("a: \x00", "This is no YAML"),
        ("a: \ud800", "There is a character that is none"),
        ("? [a, b]\n: c", "A name is a list"),
        ("x" * (MOST_LETTERS + 1), "more than 10,000,000 characters"),
    ],
)
def test_hostile_yaml_is_refused_before_it_costs_anything(text: str, why: str):
    """promises.md, Input: YAML is loaded safely."""
    with pytest.raises(YamlRefused) as refused:
        tree(text)

    assert why in refused.value.sentence


@given(st.text(max_size=60))
def test_any_text_at_all_is_read_or_refused(text: str):
    with suppress(ConfigurationRefused):
        read(text)


def test_words_are_words_whatever_yaml_thinks_of_them():
    (burp,) = read("version: 1\nconnections: [{label: no, tool: burpsuite, settings: {at: 12:30, n: 010}}]").things

    assert isinstance(burp, Connection)
    assert (burp.label, burp.settings) == ("no", {"at": "12:30", "n": "010"})


def test_what_is_written_is_read_back():
    found = read(
        f"{BURP}, secrets: {{k: {{command: [a, b c]}}}}, paused: true, product_type: Web, settings: {{url: 'null'}},"
        " rules: [{attribute: team, pattern: '*', template: '{team}', tags: [b, a], case_matters: true}],"
        " mappings: [{id: '1', product: A}, {id: 'no', ignore: true, because: x}],"
        " schedules: {discover: {kind: 'off'}}}\n"
        "destinations: [{name: Dojo, enabled: false, secrets: {token: {env: T}}, settings: {url: 'https://d.example'},"
        " takes: [{the_rest: true}, {product_type: Web}, {connection: Burp}]}, {name: Other, takes: []}]"
    )

    written = yaml.safe_dump(as_fields(found), allow_unicode=True)

    assert read(written).things == found.things


def test_the_same_twice_differs_in_nothing():
    found = read(f"{BURP}, hold_above: 3, rules: [{{pattern: a, ignore: true}}]}}")

    assert difference(found, found).changes == ()


def test_a_reference_is_no_difference_by_itself():
    found = read(f"{BURP}, secrets: {{k: {{env: A}}}}}}")
    stored = read(f"{BURP}, secrets: {{k: {{env: B}}}}}}")

    assert difference(found, stored).changes == ()
    (change,) = difference(found, stored, anew={"connections[0].secrets.k"}).changes
    assert (change.secrets, change.fields[0].after) == (("k",), "from {env: A}")
    assert Reference("env", ("A",)).told == "{env: A}"


def test_severities_stand_by_their_rank():
    assert [Severity.of_rank(rank).value for rank in range(6)] == list(SEVERITIES)
