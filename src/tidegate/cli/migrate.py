"""`tidegate migrate`: brings a database that is not our own up to this version, our own is brought up by itself; and
`tidegate migrate defectdojo`: takes over what a DefectDojo's API importers did."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.answer import Migrated, TakenOver, TakeoverConnection, TakeoverLeft, TakeoverRecord
from tidegate.cli.failure import DIFFERENCE, DONE, PARTIAL, Failure, usage
from tidegate.cli.field import secret_from
from tidegate.cli.option import Group, Json
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import heading, note, print_json, progressing, say, table

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tidegate.actions.takeover import Taken, Takeover
    from tidegate.rules.takeover import ProposedConnection

SHOWN = 50
LARGEST_CERTIFICATE = 1_000_000

app = typer.Typer(
    cls=Group,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def migrate(context: typer.Context, json: Json = False) -> None:
    """Bring your database up to this version, or come from DefectDojo.

    The database that Tidegate runs itself is brought up at every start; only one that TIDEGATE_DATABASE_URL names
    waits for this. What a DefectDojo imported by API is taken over by: tidegate migrate defectdojo URL
    """
    if context.invoked_subcommand is not None:
        return
    from tidegate.config import load_settings
    from tidegate.log import set_up_log
    from tidegate.server import start
    from tidegate.server.postgres import open_database

    settings = load_settings()
    set_up_log()
    with open_database(settings, (lambda _: None) if json else note) as database:
        start.set_up_django(database)
        from django.db import connections

        try:
            applied = start.migrate((lambda _: None) if json else note)
        finally:
            connections.close_all()
    if json:
        print_json(Migrated(applied=applied))
    else:
        say(f"Applied {len(applied)} migrations." if applied else "The database is up to date already.")


@app.command("defectdojo")
def migrate_defectdojo(
    url: Annotated[str, typer.Argument(metavar="URL", help="DefectDojo's address, as a browser shows it.")],
    token: Annotated[
        str,
        typer.Option(
            "--token",
            metavar="SOURCE",
            help="Where the API v2 token of a superuser is: env:VARIABLE, file:PATH, or - for standard input.",
        ),
    ] = "",
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            metavar="LABEL=SOURCE",
            help="The token of a tool, by the label that the plan gives it. Say it again for more.",
        ),
    ] = None,
    certificate: Annotated[
        str, typer.Option("--certificate", metavar="FILE", help="The authority of DefectDojo's certificate, as PEM.")
    ] = "",
    severities: Annotated[
        bool, typer.Option("--severities", help="Take over severities that differ from what the tool says now.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without, it is only shown.")] = False,
    json: Json = False,
) -> int:
    """Take over what a DefectDojo imported by API: Connections, mappings, and decisions.

    Nothing is written to DefectDojo. Without --apply nothing is changed here either, and it exits 4 where something
    would be. DefectDojo rightly shows no secrets: those of the tools are asked for, or named with --secret. Run it
    again as often as you like: what is done is left, what was broken off goes on.
    """
    sources = _by_label(secret or ())
    way = {"certificate": _pem(certificate)} if certificate else {}
    own = _token(token)
    with ready(quiet=json):
        from tidegate.actions.takeover import takeover

        with takeover(me(), url, own, **way) as found:
            if unknown := sorted(sources.keys() - {one.label for one in found.plan.connections}):
                there = ", ".join(f"«{one.label}»" for one in found.plan.connections) or "none"
                raise usage(f"The plan has no Connection «{unknown[0]}».", f"Its Connections: {there}.")
            work = _Work(found, json=json, severities=severities)
            if apply:
                work.apply(_secrets(found, sources, json=json))
            answer = work.answer(applied=apply)
    if json:
        print_json(answer)
    else:
        _show(answer, url)
    if apply:
        return DONE if answer.complete else PARTIAL
    return DIFFERENCE if answer.would_change else DONE


class _Work:
    """One takeover, carried out as far as it goes."""

    def __init__(self, found: Takeover, *, json: bool, severities: bool) -> None:
        self.found, self.json, self.severities = found, json, severities
        self.refused: dict[str, str] = {}
        """By label of the plan why a Connection was not made."""
        self.left: list[TakeoverLeft] = []
        self.taken: Taken | None = None

    def apply(self, secrets: dict[str, SecretStr]) -> None:
        """Connects, discovers, maps, syncs, takes decisions over. What one tool refuses does not stop the others."""
        from tidegate.actions.errors import Refused

        for one in self.found.plan.connections:
            if one.label not in secrets:
                continue
            try:
                problem = self.found.try_secret(one, secrets[one.label])
                if not problem:
                    self.found.connect(one, secrets[one.label])
            except Refused as refused:
                problem = f"{refused.sentence} {refused.next_step}"
            if problem:
                self.refused[one.label] = problem
        for id in dict.fromkeys(here.id for _, here, state in self.found.standings() if state.word == "unseen"):
            if id is not None:
                self._run("discover", id)
        self.left += [TakeoverLeft(what=one.what, why=one.why) for one in self.found.map_records()]
        for id, records in self.found.unread().items():
            self._run("sync", id, records)
        with progressing(quiet=self.json) as progress:
            self.taken = self.found.adopt(
                carry_out=True,
                severities=self.severities,
                progress=lambda done, total: progress("Taking decisions over", done, total),
            )

    def _run(self, kind: str, connection: int, records: Sequence[int] | None = None) -> None:
        from tidegate.actions import operation as operations
        from tidegate.actions.errors import Refused
        from tidegate.cli.operation import seen_through

        try:
            if kind == "discover":
                number = operations.request_discover(me(), connection)
            else:
                number = operations.request_sync(me(), connection, records)
        except Refused as refused:
            self.left.append(
                TakeoverLeft(what=f"Connection {connection}", why=f"{refused.sentence} {refused.next_step}")
            )
            return
        row = seen_through(number, quiet=self.json).operation
        if row.status != "success":
            why = f"The {kind} ended {row.status}. See why: tidegate operation show {number}"
            self.left.append(TakeoverLeft(what=row.connection, why=why))

    def answer(self, *, applied: bool) -> TakenOver:
        """How it stands now."""
        found = self.found
        taken = self.taken or found.adopt(carry_out=False, severities=self.severities)
        connections = [*self._connections()]
        records = [*self._records()]
        left = [TakeoverLeft(what=one.what, why=one.why) for one in (*found.plan.left, *taken.left)] + self.left
        open = [one for one in records if one.standing in ("unseen", "to map")]
        to_make = [one for one in connections if one.id is None]
        unread = bool(found.unread())
        complete = not (to_make or open or self.refused or self.left or taken.waiting or unread)
        return TakenOver(
            applied=applied,
            version=found.version,
            connections=connections,
            records=records,
            decided=taken.decided,
            adopted=taken.adopted,
            unchanged=taken.unchanged,
            waiting=taken.waiting,
            left=left,
            notes=[*found.plan.notes],
            complete=complete,
            would_change=bool(to_make or unread or any(one.standing == "to map" for one in records) or taken.adopted)
            or any(state.word == "unseen" and not here.discovered for _, here, state in found.standings()),
        )

    def _connections(self) -> Iterator[TakeoverConnection]:
        for one in self.found.plan.connections:
            here = self.found.here(one)
            sentence = self.refused.get(one.label) or ("There." if here.id is not None else f"To make; {_needs(one)}")
            yield TakeoverConnection(
                id=here.id,
                label=here.label,
                tool=one.tool,
                url=str(one.settings["url"]),
                organization=str(one.settings.get("organization", "")),
                secret=one.secret,
                sentence=sentence,
            )

    def _records(self) -> Iterator[TakeoverRecord]:
        from tidegate.actions.takeover import target_of

        for wanted, here, state in self.found.standings():
            product, product_type = target_of(wanted)
            yield TakeoverRecord(
                connection=here.label,
                vendor_id=wanted.vendor_id,
                name=state.record.name if state.record else wanted.name,
                product=product,
                product_type=product_type,
                product_there=wanted.product.id,
                standing=state.word,
                record_id=state.record.id if state.record else None,
                sentence=state.sentence,
            )


def _needs(one: ProposedConnection) -> str:
    return f"its {one.secret} is needed: --secret '{one.label}=env:VARIABLE'"


# What is secret


def _by_label(given: Sequence[str]) -> dict[str, str]:
    sources: dict[str, str] = {}
    for text in given:
        label, equals, source = text.rpartition("=")
        if not equals or not label:
            raise usage("--secret needs a label and a source.", "Write it as --secret 'LABEL=env:VARIABLE'")
        if label in sources:
            raise usage(f"«{label}» was given twice, and has one secret.", "Say it once.")
        sources[label] = source
    return sources


def _token(source: str) -> SecretStr:
    from pydantic import SecretStr

    if source:
        return secret_from("the token of DefectDojo", source, "--token ")
    if not sys.stdin.isatty():
        raise usage("The token of DefectDojo is missing.", "Add: --token env:VARIABLE")
    return SecretStr(typer.prompt("API v2 token of DefectDojo", hide_input=True, err=True))


def _secrets(found: Takeover, sources: dict[str, str], *, json: bool) -> dict[str, SecretStr]:
    """The secret of each Connection that is to be made, all of them before anything is done."""
    from pydantic import SecretStr

    needed = [one for one in found.plan.connections if found.here(one).id is None]
    missing = [one for one in needed if one.label not in sources]
    if missing and (json or not sys.stdin.isatty()):
        ways = " ".join(f"--secret '{one.label}=env:VARIABLE'" for one in missing)
        raise usage("DefectDojo shows no secrets, and nobody is there to be asked for them.", f"Add: {ways}")
    secrets = {
        one.label: secret_from(f"«{one.label}»", sources[one.label], f"--secret '{one.label}='")
        for one in needed
        if one.label in sources
    }
    for one in missing:
        note(f"DefectDojo does not show how it logged in to {one.settings['url']}.")
        asked = typer.prompt(f"{one.secret.capitalize()} for «{one.label}»", hide_input=True, err=True)
        secrets[one.label] = SecretStr(asked)
    return secrets


def _pem(path: str) -> str:
    try:
        with Path(path).expanduser().open(encoding="ascii") as file:
            return file.read(LARGEST_CERTIFICATE)
    except (OSError, ValueError, RuntimeError) as error:
        raise Failure(f"The certificate {path} cannot be read: {error}", "Give a file in PEM.") from None


# What is said


def _show(answer: TakenOver, url: str) -> None:
    say(f"DefectDojo {answer.version} at {url}")
    heading("Connections")
    rows: list[Any] = [(one.label, one.tool, one.url, one.organization, one.sentence) for one in answer.connections]
    table(("LABEL", "TOOL", "URL", "ORGANIZATION", ""), rows, empty="Nothing here can be connected.")
    heading("Mappings")
    rows = [
        (one.vendor_id or one.name, one.connection, one.product, str(one.product_there), one.standing, one.sentence)
        for one in answer.records
    ]
    table(("RECORD", "CONNECTION", "PRODUCT", "THERE#", "STANDS", ""), rows, empty="No Product is linked to a tool.")
    heading("Decisions of people")
    say(_decisions(answer))
    if answer.left:
        heading("Not taken over")
        for one in answer.left[:SHOWN]:
            say(f"{one.what}: {one.why}")
        if len(answer.left) > SHOWN:
            say(f"And {len(answer.left) - SHOWN:,} more; --json says all of them.")
    for sentence in answer.notes:
        note(sentence)
    if not answer.applied:
        note("Nothing was changed. To do it, add: --apply" if answer.would_change else "There is nothing to do.")
    elif not answer.complete:
        note("Not all of it is done. When what stands above is mended, run it again: it goes on.")


def _decisions(answer: TakenOver) -> str:
    done = "were" if answer.applied else "would be"
    said = [f"{answer.decided:,} findings there are decided about; {answer.adopted:,} {done} taken over"]
    if answer.unchanged:
        said.append(f"{answer.unchanged:,} are the same here already")
    if answer.waiting:
        said.append(f"{answer.waiting:,} wait until their findings are here")
    return f"{', '.join(said)}."
