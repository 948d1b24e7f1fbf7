"""Parity of the faces: whatever a person can do, a script can. Every action has its route and its command.

Issue 6, Shown by: "Parity: every action has its route and its command". Both are found in the code, so a new action
without one fails; what has no route or command on purpose stands below with its reason.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import signature
from pathlib import Path
from pkgutil import iter_modules
from textwrap import dedent

from tests.database import database, migrated_database
from tidegate import actions
from tidegate.actions.action import ACTIONS
from tidegate.api import finding as routes_of
from tidegate.api.app import api
from tidegate.api.route import ROUTES
from tidegate.cli import finding as commands_of
from tidegate.reads import finding as reads
from tidegate.reads.export import exported_findings

__all__ = ["database", "migrated_database"]

assert api
for _one in iter_modules(actions.__path__):
    import_module(f"tidegate.actions.{_one.name}")

CLI = Path(import_module("tidegate.cli").__file__ or "").parent

NO_ROUTE = {
    "doctor.mend_queue": "mends the queue of a service that may not run: who is at the machine does it",
    "doctor.mend_spools": "removes files of killed runs from the disk of the machine",
    "retention.forget_now": "the service does it daily; at once it is for who is at the machine and needs the room",
    "secret.rotate_secrets": "writes the new key beside the service, where whoever holds the keys has to be",
}
"""Actions of the machine: who can reach its shell has the database and the keys, and a token never should."""

NO_COMMAND = {
    "rule.save_rules": "`rule add`, `edit`, `move` and `delete` change the set one by one; `apply` writes a whole set",
}
"""Actions that no command calls, with the reason."""


def calls_of(source: str) -> Iterator[str]:
    """The actions that a module of the command line names: `actions.record.map_records` by cli/house.py, or what it
    imports from tidegate.actions itself."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=function, value=ast.Attribute(attr=noun, value=ast.Name(id="actions"))):
                yield f"{noun}.{function}"
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("tidegate.actions."):
                yield from (f"{module.rpartition('.')[2]}.{alias.name}" for alias in names)
            case _:
                pass


def commands() -> set[str]:
    return {name for file in CLI.glob("*.py") for name in calls_of(file.read_text(encoding="utf-8"))}


def routes() -> set[str]:
    return {one.of.removeprefix("actions.") for one in ROUTES if one.of.startswith("actions.")}


def test_every_action_has_its_route():
    assert set(ACTIONS) - routes() == set(NO_ROUTE)


def test_every_action_has_its_command():
    assert set(ACTIONS) - commands() == set(NO_COMMAND)


def test_what_has_none_has_a_reason_and_is_there():
    for name, reason in (NO_ROUTE | NO_COMMAND).items():
        assert name in ACTIONS
        assert len(reason.split()) > 5, name


def test_calls_are_found_however_a_module_says_them():
    source = """
        from tidegate.cli.house import actions, reads
        from tidegate.actions.secret import rotate_secrets

        def command():
            request = actions.operation.request_sync if later else actions.operation.request_discover
            actions.record.map_records(me(), [1])
            reads.record.records()
    """

    assert set(calls_of(dedent(source))) == {
        "operation.request_sync", "operation.request_discover", "record.map_records", "secret.rotate_secrets",
    }  # fmt: skip


def test_whatever_narrows_the_list_of_findings_narrows_their_export_and_what_is_done_with_all_of_them():
    """Issue 6: whoever found them in a list gets the same out, and decides about the same, on every face."""
    listed = takes(reads.findings) - {"sort", "cursor", "limit"}
    narrowed = takes(commands_of.list_findings) - {"sort", "limit", "after", "json"}

    assert {"cwe", "component", "search", "since"} <= listed & narrowed
    assert takes(exported_findings) - {"format"} == listed
    assert takes(routes_of.findings) - {"sort", "cursor", "limit"} == listed
    assert takes(routes_of.exported_findings) - {"actor", "format"} == listed
    assert {*routes_of.FindingsMatching.model_fields} == listed
    assert takes(commands_of.export_findings) - {"form", "output", "json"} == narrowed
    assert takes(commands_of.close_findings) - {"numbers", "all", "expected", "preview", "json"} == narrowed


def takes(function: Callable[..., object]) -> set[str]:
    return {*signature(function).parameters}
