"""`tidegate audit`: who did what, and what was forbidden to whom."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from tidegate.cli.house import reads
from tidegate.cli.option import After, Json, Limit, group
from tidegate.cli.start import ready
from tidegate.cli.terminal import clean, moment, note, print_json, table

app = group("See who did what, and what was forbidden.")


class ExportForm(StrEnum):
    """What an export is written as."""

    ndjson = "ndjson"
    csv = "csv"


Actor = Annotated[str | None, typer.Option("--actor", metavar="NAME", help="Only what this one did.")]
Action = Annotated[str | None, typer.Option("--action", metavar="ACTION", help="Only this: record.map_records.")]
Target = Annotated[str | None, typer.Option("--target", metavar="KIND", help="Only what was done to such: record.")]
TargetId = Annotated[int | None, typer.Option("--target-id", metavar="N", help="Only to the thing of this number.")]
Since = Annotated[datetime | None, typer.Option("--since", help="Only from this time on, in UTC.")]
Until = Annotated[datetime | None, typer.Option("--until", help="Only before this time, in UTC.")]


@app.command("list")
def list_audit(
    actor: Actor = None,
    action: Action = None,
    target: Target = None,
    target_id: TargetId = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List what was done and what was forbidden, the newest first."""
    with ready(quiet=json):
        page = reads.audit.audit_lines(
            by=actor, action=action, target=target, target_id=target_id, since=_utc(since), until=_utc(until),
            cursor=after, limit=limit,
        )  # fmt: skip
    if json:
        return print_json(page)
    rows = [
        (
            moment(row.at),
            row.actor,
            row.through,
            row.action,
            row.outcome,
            f"{row.target} {', '.join(map(str, row.target_ids[:5]))}{' …' if len(row.target_ids) > 5 else ''}".strip(),
        )
        for row in page.lines
    ]
    table(("AT", "WHO", "THROUGH", "ACTION", "OUTCOME", "TO"), rows, empty="There is no such line.")
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("export")
def export_audit(
    actor: Actor = None,
    action: Action = None,
    target: Target = None,
    target_id: TargetId = None,
    since: Since = None,
    until: Until = None,
    form: Annotated[ExportForm, typer.Option("--form", help="A JSON object a line, or CSV.")] = ExportForm.ndjson,
    json: Json = False,
) -> None:
    """Write all of these lines, the oldest first. No cell of the CSV is a formula."""
    from msgspec.json import decode

    with ready(quiet=True):
        lines = reads.audit.audit_export(
            format="ndjson" if json else form.value, by=actor, action=action, target=target, target_id=target_id,
            since=_utc(since), until=_utc(until),
        )  # fmt: skip
        if json:
            rows = [decode(line, type=reads.audit.AuditRow) for line in lines]
            return print_json(reads.audit.AuditPage(lines=rows, next=None))
        on_terminal = sys.stdout.isatty()
        for line in lines:
            sys.stdout.write(f"{clean(line.rstrip())}\n" if on_terminal else line)
    return None


def _utc(at: datetime | None) -> datetime | None:
    from datetime import UTC

    return None if at is None else at.replace(tzinfo=at.tzinfo or UTC)
