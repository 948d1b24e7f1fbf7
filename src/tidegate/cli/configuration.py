"""`tidegate export`, `plan`, `apply` and `validate`: what is configured, as a file that is kept with the code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.failure import DIFFERENCE, DONE, FAILED, PARTIAL, Failure, usage
from tidegate.cli.house import actions, reads
from tidegate.cli.option import ConfigurationMappings, Json, alone
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import note, print_json, say

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tidegate.reads.configuration import Applied, Planned
    from tidegate.rules.configuration import Problem

export_app, plan_app, apply_app, validate_app = alone(), alone(), alone(), alone()

LARGEST_FILE = 40_000_000
SIGNS = {"create": "+", "change": "~", "delete": "-"}

Named = Annotated[str, typer.Argument(metavar="FILE", help="The configuration file; - reads stdin.")]
Prune = Annotated[
    bool, typer.Option("--prune", help="Delete what the file does not name, of the kinds that stand in it.")
]
WithSecrets = Annotated[
    bool,
    typer.Option(
        "--secrets/--no-secrets",
        help="Look up the secrets that the file refers to; its commands are run. Without, those stored stay.",
    ),
]
Renew = Annotated[
    bool, typer.Option("--renew-secrets", help="Store every secret anew, also where it seems to be the same.")
]


@export_app.command("export")
def export(
    mappings: Annotated[
        ConfigurationMappings,
        typer.Option("--mappings", case_sensitive=False, help="Of Records: what people decided, all, or none."),
    ] = ConfigurationMappings.people,
    json: Json = False,
) -> None:
    """Write what is configured as a file for plan and apply.

    Where a secret is stored the file refers to an environment variable: say there where yours is.
    """
    with ready(quiet=json):
        found = reads.configuration.export(mappings.value)
    if found is None:
        raise Failure("Only an administrator of everything may export what is configured.", "Ask one.")
    if json:
        return print_json(found)
    return say(found.document.rstrip("\n"), lines=True)


@validate_app.command("validate")
def validate(file: Named, json: Json = False) -> int:
    """Check a configuration file, without a database.

    Its secrets are not looked up, and nothing is compared with what is stored.
    """
    found = actions.validation.validate(_text(file))
    if json:
        print_json(found)
    elif found.ok:
        say(f"{_source(file)} is in order; it names {found.things:,} things.")
    for one in () if json else found.problems:
        where = ", ".join(filter(None, (f"{_source(file)}, line {one.line}", one.path)))
        note(f"{where}: {one.sentence} {one.next_step}")
    return DONE if found.ok else FAILED


@plan_app.command("plan")
def plan(
    file: Named, prune: Prune = False, secrets: WithSecrets = True, renew_secrets: Renew = False, json: Json = False
) -> int:
    """Show what a configuration file would change.

    Exits 4 where that is anything; nothing is changed. Commands that the file names to find a secret are run: say
    --no-secrets for a file that you do not trust.
    """
    document = _text(file)
    given = _secrets(document, file, wanted=secrets)
    with ready(quiet=json):
        found = actions.configuration.plan(
            me(), document, secrets=given, source=_source(file), prune=prune, renew_secrets=renew_secrets
        )
    if json:
        print_json(found)
    else:
        _show(found)
    return DIFFERENCE if found.changes else DONE


@apply_app.command("apply")
def apply(
    file: Named,
    prune: Prune = False,
    secrets: WithSecrets = True,
    renew_secrets: Renew = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether to go on.")] = False,
    json: Json = False,
) -> int:
    """Make what is configured what a file says.

    Shows the difference and asks. What the file does not name is left alone. A change that is refused does not stop the
    others; run it again to do the rest.
    """
    document, asked = _text(file), not (yes or json)
    if not yes and (json or file == "-" or not sys.stdin.isatty()):
        raise usage("Nobody is there to be asked whether to go on.", "Look at the plan, then add: --yes")
    given = _secrets(document, file, wanted=secrets)
    how: dict[str, Any] = {
        "secrets": given,
        "source": _source(file),
        "prune": prune,
        "renew_secrets": renew_secrets,
    }
    with ready(quiet=json):
        if not json:
            planned = actions.configuration.plan(me(), document, **how)
            _show(planned)
            if asked and planned.changes and not typer.confirm("Go on?", err=True):
                raise typer.Abort
        done = actions.configuration.apply(me(), document, **how)
    if json:
        print_json(done)
    else:
        _told(done, _source(file))
    right = [change.ok for change in done.changes]
    return DONE if all(right) else PARTIAL if any(right) else FAILED


def _text(file: str) -> str:
    """What stands in the file."""
    try:
        if file == "-":
            text = sys.stdin.read(LARGEST_FILE + 1)
        else:
            with Path(file).open(encoding="utf-8-sig") as opened:
                text = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", "Name what `tidegate export` wrote.") from error
    except UnicodeDecodeError:
        raise Failure(f"{file} is not UTF-8.", "Save it as text in UTF-8.") from None
    return text


def _source(file: str) -> str:
    """By which the file is known to whoever meets what it manages."""
    return "standard input" if file == "-" else Path(file).name


def _secrets(document: str, file: str, *, wanted: bool) -> dict[str, SecretStr]:
    """The secrets that the file refers to, by the path of the reference. Raises Failure for a file that is wrong."""
    from tidegate.cli.reference import looked_up
    from tidegate.rules.configuration import ConfigurationRefused
    from tidegate.rules.configuration_file import read

    try:
        references = read(document).references()
    except ConfigurationRefused as refused:
        raise _wrong(refused.problems, _source(file)) from None
    return looked_up(references) if wanted else {}


def _wrong(problems: list[Problem], source: str) -> Failure:
    for problem in problems[1:]:
        note(problem.told(source))
    first = problems[0]
    where = ", ".join(filter(None, (f"{source}, line {first.line}", first.path)))
    return Failure(f"{where}: {first.sentence}", first.next_step)


def _show(found: Planned) -> None:
    for change in found.changes:
        say(f"{SIGNS[change.verb]} {change.verb} {change.what}")
        for field in change.fields:
            if change.verb == "create" or not field.before:
                say(f"      {field.name}: {field.after}")
            else:
                say(f"      {field.name}: {field.before} → {field.after or 'nothing'}")
    if found.changes:
        counts = {verb: sum(one.verb == verb for one in found.changes) for verb in SIGNS}
        say(f"{counts['create']:,} to create, {counts['change']:,} to change, {counts['delete']:,} to delete.")
    else:
        say("Nothing is to be changed.")
    if found.not_managed:
        note(f"Not managed, and left alone: {', '.join(found.not_managed)}.")
    _also(found.waiting, found.notes)


def _told(done: Applied, source: str) -> None:
    for change in done.changes:
        (say if change.ok else note)(
            f"{'' if change.ok else 'Not done: '}{change.verb} {change.what}. {change.sentence}"
        )
    right = sum(one.ok for one in done.changes)
    wrong = f", {len(done.changes) - right:,} not" if right < len(done.changes) else ""
    say(f"{right:,} done{wrong}. {source} manages {done.managed:,} things.")
    for operation in done.operations:
        note(f"Watch it: tidegate operation watch {operation}")
    _also(done.waiting, done.notes if not done.changes else [])


def _also(waiting: list[str], notes: list[str]) -> None:
    if waiting:
        note(f"Waiting until a Discover finds its Record: {', '.join(waiting)}.")
    for sentence in notes:
        note(sentence)
