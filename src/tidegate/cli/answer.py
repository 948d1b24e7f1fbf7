"""What `--json` prints, command by command. The field names are a promise: docs/reference/json.md is made from here."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """Why a command did not do what it was asked."""

    what: Annotated[str, Meta(description="What happened, to which thing.")]
    next_step: Annotated[str, Meta(description="What to do next.")]


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """Printed to stderr by any command that fails."""

    error: Annotated[Failed, Meta(description="What went wrong.")]


class DeletedThing(msgspec.Struct, frozen=True, kw_only=True):
    """What is there no more."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="Its name or label.")]


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a deletion."""

    deleted: Annotated[DeletedThing, Meta(description="What was deleted.")]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one Record."""

    record_id: Annotated[int, Meta(description="The Record's number.")]
    ok: Annotated[bool, Meta(description="It was done.")]
    sentence: Annotated[str, Meta(description="What was done, or why not.")]


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a decision about Records."""

    step: Annotated[str | None, Meta(description="What `record undo --step` takes back; null where nothing was done.")]
    items: Annotated[list[Item], Meta(description="Record by Record.")]
    operations: Annotated[
        list[int], Meta(description="The changes that carry it out, where it is about many findings; mostly none.")
    ] = []


class ImportLine(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one line of a file of mappings that differs from what is stored."""

    line: Annotated[int, Meta(description="The line of the file on which it begins.")]
    record_id: Annotated[int | None, Meta(description="The Record's number; null where the line names none.")]
    ok: Annotated[bool, Meta(description="It was done; in a preview: it would be.")]
    sentence: Annotated[str, Meta(description="What was done, or what is wrong with the line.")]


class ImportedMappings(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `mapping import`."""

    preview: Annotated[bool, Meta(description="Nothing was changed: it says what would be.")]
    step: Annotated[str | None, Meta(description="What `record undo --step` takes back; null where nothing was done.")]
    lines: Annotated[list[ImportLine], Meta(description="Lines that change something, and lines that are wrong.")]
    unchanged: Annotated[int, Meta(description="Lines that say what is stored already.")]


class DismissedSuggestion(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `suggestion dismiss`."""

    missing_id: Annotated[int, Meta(description="The Record that is Missing.")]
    new_id: Annotated[int, Meta(description="The new Record that is, or is not, the same thing.")]
    dismissed: Annotated[bool, Meta(description="It is not suggested any more.")]


class TestStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a test."""

    name: Annotated[str, Meta(description="What was tried.")]
    ok: Annotated[bool, Meta(description="It worked.")]
    warning: Annotated[bool, Meta(description="It works, and you should know this all the same.")]
    sentence: Annotated[str, Meta(description="What was found, or what is wrong.")]


class CreatedToken(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `token add`: the only time that the token itself is shown."""

    id: Annotated[int, Meta(description="Its number.")]
    token: Annotated[str, Meta(description="The token. Only its hash is stored.")]


class CreatedWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `notify add --webhook` and `notify edit --new-secret`: the only time that the secret is shown."""

    id: Annotated[int, Meta(description="The route's number.")]
    signing_secret: Annotated[str, Meta(description="What its messages are signed with from now on.")]


class ReplayedNews(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `notify replay`."""

    news: Annotated[int, Meta(description="So many pieces of news are sent again.")]
    messages: Annotated[int, Meta(description="In so many messages.")]


class ConnectionTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `connection trigger`: who may ask from outside for a Sync."""

    connection_id: Annotated[int, Meta(description="The Connection's number.")]
    path: Annotated[str, Meta(description="Where a signed call is posted to, at the address of Tidegate's pages.")]
    trigger: Annotated[bool, Meta(description="There is one: who signs with its secret may ask.")]
    secret: Annotated[str | None, Meta(description="The new secret, shown this once; null where none was made.")]


class ExportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `finding export --output`."""

    file: Annotated[str, Meta(description="The file that was written.")]
    format: Annotated[str, Meta(description="`ndjson`, `csv` or `sarif`.")]
    bytes: Annotated[int, Meta(description="How long it is.")]


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `connection test` and `notify test`."""

    ok: Annotated[bool, Meta(description="Every step worked.")]
    steps: Annotated[list[TestStep], Meta(description="Step by step.")]


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `operation approve` and `operation keep`."""

    operation: Annotated[int, Meta(description="The Operation's number.")]
    settled: Annotated[int, Meta(description="How many closings and absences were decided.")]


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `connection edit --preview`: what another minimum severity would do."""

    minimum_severity: Annotated[str, Meta(description="The minimum severity that was asked about.")]
    closes: Annotated[int, Meta(description="Findings it would close at once.")]
    may_bring: Annotated[int, Meta(description="Findings the next Sync may bring, at most.")]


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `migrate`."""

    applied: Annotated[list[str], Meta(description="The migrations that were applied now.")]


class RotatedSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `secrets rotate`."""

    key: Annotated[str, Meta(description="The id of the key that seals everything now.")]
    made: Annotated[
        bool, Meta(description="It was made just now; else one was there that did not seal everything yet.")
    ]
    resealed: Annotated[int, Meta(description="Secrets that were sealed anew.")]
    retired: Annotated[list[str], Meta(description="Ids of keys that nothing was sealed with, and that are gone.")]
    kept: Annotated[list[str], Meta(description="Ids of older keys that are still there.")]
    lost: Annotated[int, Meta(description="Secrets that no key opens; see `secrets status`.")]


class UpgradedServer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `upgrade`."""

    upgraded: Annotated[bool, Meta(description="The data were loaded into a newer server.")]
    server: Annotated[str, Meta(description="The major version of the database's server now; empty where none is.")]
    rows: Annotated[int, Meta(description="How many rows were compared.")]
    old_data: Annotated[str, Meta(description="Where the old data are kept; empty where nothing was upgraded.")]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: Annotated[str, Meta(description="What was looked at.")]
    result: Annotated[Literal["ok", "warn", "fail"], Meta(description="`ok`, `warn` or `fail`.")]
    what: Annotated[str, Meta(description="What was found.")]
    next_step: Annotated[str, Meta(description="What to do; empty where nothing.")] = ""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `doctor`."""

    ok: Annotated[bool, Meta(description="Nothing failed.")]
    checks: Annotated[list[Check], Meta(description="Check by check.")]


class TakeoverConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A Connection that follows from tool configurations of a DefectDojo."""

    id: Annotated[int | None, Meta(description="Its number; null where it is not there yet.")]
    label: Annotated[str, Meta(description="What it is called, or would be.")]
    tool: Annotated[str, Meta(description="The tool.")]
    url: Annotated[str, Meta(description="Where the tool is.")]
    organization: Annotated[str, Meta(description="The tool's organization; empty where it has none.")]
    secret: Annotated[str, Meta(description="The field that DefectDojo does not show.")]
    sentence: Annotated[str, Meta(description="How far it is, or why it was not made.")]


class TakeoverRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping that follows from an API scan configuration of a DefectDojo."""

    connection: Annotated[str, Meta(description="The label of its Connection.")]
    vendor_id: Annotated[str, Meta(description="The tool's id; empty where DefectDojo looked it up by its name.")]
    name: Annotated[str, Meta(description="The tool's name for it, as far as it is known.")]
    product: Annotated[str, Meta(description="The Product.")]
    product_type: Annotated[str, Meta(description="The Product Type of the Product, where it is made.")]
    product_there: Annotated[int, Meta(description="The number of the Product in DefectDojo.")]
    standing: Annotated[str, Meta(description="`unseen`, `to map`, `mapped`, `decided otherwise` or `not unique`.")]
    record_id: Annotated[int | None, Meta(description="The Record's number; null where it was not seen yet.")]
    sentence: Annotated[str, Meta(description="Why it stands so.")]


class TakeoverLeft(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not taken over."""

    what: Annotated[str, Meta(description="What it is.")]
    why: Annotated[str, Meta(description="Why, and what can be done.")]


class PreflightRemark(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a pre-flight looked at."""

    about: Annotated[str, Meta(description="What was looked at.")]
    level: Annotated[str, Meta(description="`good`, `warning` or `problem`.")]
    what: Annotated[str, Meta(description="What is so.")]
    follows: Annotated[str, Meta(description="What follows for deliveries; may be empty.")]
    do: Annotated[str, Meta(description="What a person can do; may be empty.")]


class PreflightDone(msgspec.Struct, frozen=True, kw_only=True):
    """What the pre-flight of a Destination found."""

    ok: Annotated[bool, Meta(description="Deliveries can work.")]
    version: Annotated[str, Meta(description="The server's version; empty where it did not get so far.")]
    user: Annotated[str, Meta(description="Whose the token is; empty where it did not get so far.")]
    remarks: Annotated[list[PreflightRemark], Meta(description="Thing by thing.")]


class TakenOver(msgspec.Struct, frozen=True, kw_only=True):
    """What is, or would be, taken over from a DefectDojo."""

    applied: Annotated[bool, Meta(description="It was done; where false, it is only said.")]
    version: Annotated[str, Meta(description="The version of DefectDojo.")]
    connections: Annotated[list[TakeoverConnection], Meta(description="The Connections.")]
    records: Annotated[list[TakeoverRecord], Meta(description="The mappings.")]
    decided: Annotated[int, Meta(description="Findings there about which people decided something.")]
    adopted: Annotated[int, Meta(description="Findings whose decisions were, or would be, taken over.")]
    unchanged: Annotated[int, Meta(description="Findings about which the same is decided here already.")]
    waiting: Annotated[int, Meta(description="Decided there, while their findings are not here yet.")]
    left: Annotated[list[TakeoverLeft], Meta(description="What is not taken over.")]
    notes: Annotated[list[str], Meta(description="What becomes otherwise than it was.")]
    complete: Annotated[bool, Meta(description="There is nothing more to do.")]
    would_change: Annotated[bool, Meta(description="Doing it (again) would change something.")]


def answers() -> dict[str, type[msgspec.Struct]]:
    """The shape of each command's answer."""
    from tidegate.actions import step, validation
    from tidegate.demo.story import End
    from tidegate.reads import (
        audit,
        configuration,
        connection,
        destination,
        engagement,
        find,
        finding,
        mapping,
        operation,
        preview,
        product,
        product_type,
        record,
        retention,
        route,
        rule,
        schedule,
        secret,
        story,
        suggestion,
        test,
        token,
        tool,
        user,
    )
    from tidegate.server import backup, restore

    return {
        "demo": End,
        "find": find.Found,
        "doctor": Examined,
        "migrate": Migrated,
        "migrate defectdojo": TakenOver,
        "retention": retention.Retained,
        "tool list": tool.ToolList,
        "tool show": tool.ToolAnswer,
        "connection add": connection.ConnectionDetail,
        "connection list": connection.ConnectionPage,
        "connection show": connection.ConnectionDetail,
        "connection keep": connection.ConnectionDetail,
        "connection drop": Deleted,
        "connection edit": connection.ConnectionDetail,
        "connection test": Tested,
        "connection pause": connection.ConnectionDetail,
        "connection resume": connection.ConnectionDetail,
        "connection delete": Deleted,
        "connection trigger": ConnectionTrigger,
        "schedule list": schedule.SchedulePage,
        "schedule show": schedule.ConnectionSchedules,
        "schedule set": schedule.ConnectionSchedules,
        "discover": operation.OperationDetail,
        "sync": operation.OperationDetail,
        "operation list": operation.OperationPage,
        "operation show": operation.OperationDetail,
        "operation differences": preview.DifferencePage,
        "operation watch": operation.OperationDetail,
        "operation cancel": operation.OperationDetail,
        "operation again": operation.OperationDetail,
        "operation undo": operation.OperationDetail,
        "operation log": operation.LogPage,
        "operation approve": Settled,
        "operation keep": Settled,
        "record list": record.RecordPage,
        "record show": record.RecordDetail,
        "record map": Decided,
        "record ignore": Decided,
        "record restore": Decided,
        "record delete": Decided,
        "record sync": step.BulkDone,
        "record undo": Decided,
        "rule list": rule.RuleList,
        "rule add": rule.RulesSaved,
        "rule edit": rule.RulesSaved,
        "rule move": rule.RulesSaved,
        "rule delete": rule.RulesSaved,
        "rule try": rule.RulesTried,
        "export": configuration.Exported,
        "validate": validation.Validated,
        "plan": configuration.Planned,
        "apply": configuration.Applied,
        "mapping export": mapping.MappingList,
        "mapping import": ImportedMappings,
        "suggestion list": suggestion.SuggestionList,
        "suggestion accept": Decided,
        "suggestion dismiss": DismissedSuggestion,
        "product list": product.ProductPage,
        "product show": product.ProductDetail,
        "product add": product.ProductDetail,
        "product edit": product.ProductDetail,
        "product sync": operation.SyncedProduct,
        "product delete": Deleted,
        "product-type list": product_type.ProductTypePage,
        "product-type show": product_type.ProductTypeDetail,
        "product-type add": product_type.ProductTypeDetail,
        "product-type rename": product_type.ProductTypeDetail,
        "product-type delete": Deleted,
        "destination add": destination.DestinationRow,
        "destination list": destination.DestinationList,
        "destination show": destination.DestinationRow,
        "destination edit": destination.DestinationRow,
        "destination delete": Deleted,
        "destination test": PreflightDone,
        "destination take": destination.DestinationRow,
        "destination leave": destination.DestinationRow,
        "destination join": destination.DestinationRow,
        "deliver": operation.OperationDetail,
        "engagement list": engagement.EngagementPage,
        "engagement show": engagement.EngagementDetail,
        "engagement rename": engagement.EngagementDetail,
        "engagement delete": Deleted,
        "test list": test.TestPage,
        "test show": test.TestRow,
        "test rename": test.TestRow,
        "test delete": Deleted,
        "backup": backup.Backup,
        "restore": restore.Restored,
        "upgrade": UpgradedServer,
        "audit list": audit.AuditPage,
        "audit export": audit.AuditPage,
        "secrets status": secret.SecretsStatus,
        "secrets rotate": RotatedSecrets,
        "notify add": route.RouteRow,
        "notify list": route.RouteList,
        "notify show": route.RouteRow,
        "notify test": Tested,
        "notify edit": route.RouteRow,
        "notify remove": Deleted,
        "notify log": route.NewsPage,
        "notify replay": ReplayedNews,
        "user list": user.UserPage,
        "user show": user.UserRow,
        "user add": user.UserRow,
        "user edit": user.UserRow,
        "user grant": user.UserRow,
        "user take": user.UserRow,
        "user deactivate": user.UserRow,
        "user reactivate": user.UserRow,
        "user password": user.UserRow,
        "user logout": user.UserRow,
        "user reset-second-factor": user.UserRow,
        "token list": token.TokenPage,
        "token add": CreatedToken,
        "token revoke": token.TokenRow,
        "finding list": finding.FindingPage,
        "finding export": ExportedFile,
        "finding show": finding.FindingDetail,
        "finding story": story.StoryPage,
        "finding decide": finding.FindingDetail,
        "finding close": step.BulkDone,
        "finding undo": step.BulkDone,
    }


def answers_to_previews() -> dict[str, type[msgspec.Struct]]:
    """The shape of the answer where an option asks another question than the command itself."""
    from tidegate.actions import step
    from tidegate.reads import operation
    from tidegate.server import upgrade

    return {
        "connection add --preview": operation.OperationDetail,
        "connection edit --preview": Threshold,
        **{f"record {deed} --all": step.BulkDone for deed in ("map", "ignore", "restore", "delete")},
        "record map --all --preview": step.BulkPreview,
        "finding decide --all": step.BulkDone,
        "finding decide --all --preview": step.BulkPreview,
        "notify add --webhook": CreatedWebhook,
        "notify edit --new-secret": CreatedWebhook,
        "upgrade --check": upgrade.UpgradeCheck,
    }
