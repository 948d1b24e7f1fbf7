"""Previews: what a Sync or a Discover would do, counted exactly, and difference by difference while these are kept."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Count, OuterRef, Subquery
from msgspec import Meta

from tidegate.reads.page import LIMIT, cut, storable
from tidegate.reads.share import own_records, seen_whole, visible_operations
from tidegate.reads.story import CLOSED_BECAUSE, TITLES, VENDOR_VERDICTS
from tidegate.rules.preview import COUNTED_AS, KINDS
from tidegate.store import models
from tidegate_sdk import Severity

UNDER_WAY: Final = ("pending", "running")

WHATS: Final = {
    "created": "Would be created.",
    "changed": "Would change.",
    "reopened": "Would be open again: it is reported once more.",
    "closed": "Would be closed{because}.",
    "held": "Would be held until a person decides{because}.",
    "new": "Would be a New Record.",
    "ignored": "Would be ignored by a rule{because}.",
    "renamed": "Would follow the tool.",
    "missing": "Would be no longer in the tool.",
    "back": "Would be back: the tool shows it again.",
    "revived": "Would be there again: it was deleted, and the tool still shows it.",
}


WHATS_THERE: Final = {
    "created": "Would be created there.",
    "changed": "Would change there.",
    "reopened": "Would be open again there.",
    "closed": "Would be closed there.",
}
"""Of a delivery."""


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one field would become, in words."""

    field: Annotated[str, Meta(description="Which field.")]
    before: Annotated[str, Meta(description="What it is; empty where it is not, and where only a digest is kept.")]
    after: Annotated[str, Meta(description="What it would be; empty where it would not be.")]


class DifferenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a preview would do to one finding or, in a Discover, to one Record."""

    id: Annotated[int, Meta(description="Its number.")]
    kind: Annotated[str, Meta(description=f"{', '.join(f'`{kind}`' for kind in KINDS)}.")]
    what: Annotated[str, Meta(description="What would happen, in one sentence.")]
    record_id: Annotated[int | None, Meta(description="The Record's number; null where it would be a new one.")]
    record: Annotated[str, Meta(description="The Record's name.")]
    finding_id: Annotated[int | None, Meta(description="The finding's number; null where it is none, or a new one.")]
    family: Annotated[str, Meta(description="The kind of finding; empty in a Discover.")]
    branch: Annotated[str, Meta(description="The branch; empty where there is none.")]
    key: Annotated[str, Meta(description="The tool's own id.")]
    title: Annotated[str, Meta(description="The finding's title, or the Record's name.")]
    severity: Annotated[str, Meta(description="How bad the finding would be; empty in a Discover.")]
    because: Annotated[str, Meta(description="Why it would be closed, in words; else empty.")]
    changes: Annotated[list[FieldChange], Meta(description="Field by field, what would differ.")]


class DifferencePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of what a preview would do."""

    operation: Annotated[int, Meta(description="The Operation's number.")]
    differences: Annotated[list[DifferenceRow], Meta(description="The differences of this page, kind by kind.")]
    counted: Annotated[int, Meta(description="How many there would be, exactly.")]
    kept: Annotated[int, Meta(description="How many of them are listed: a Record keeps so many of each kind.")]
    why: Annotated[str, Meta(description="Why none is listed, in one sentence; empty where some are.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


class PreviewCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many differences of one kind there would be."""

    kind: Annotated[str, Meta(description=f"{', '.join(f'`{kind}`' for kind in KINDS)}.")]
    record_id: Annotated[int | None, Meta(description="The Record's number; null where it is all of a Discover.")]
    record: Annotated[str, Meta(description="The Record's name; empty where it is all of a Discover.")]
    count: Annotated[int, Meta(description="How many, exactly.")]


def differences(
    operation_id: int,
    *,
    kind: str | None = None,
    record_id: int | None = None,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> DifferencePage | None:
    """What this preview would do, kind by kind; None if there is no Operation of this number."""
    operation = visible_operations(operation_id).first()
    if operation is None:
        return None
    query = models.Difference.objects.filter(operation_id=operation_id)
    if not seen_whole(operation.connection_id):
        query = query.filter(record_id__in=own_records())
    wanted = {"kind": kind and storable(kind), "record_id": record_id}
    query = query.filter(**{name: value for name, value in wanted.items() if value is not None})
    many = query.order_by().values("operation_id").annotate(n=Count("pk")).values("n")
    named = models.Record.objects.filter(pk=OuterRef("record_id")).values("name")
    found, following = cut(
        query.annotate(many=Subquery(many), record=Subquery(named)), ("kind", "id"), (str, int), cursor, limit
    )
    counted = sum(
        one.count for one in _counts(operation) if kind in (None, one.kind) and record_id in (None, one.record_id)
    )
    kept = found[0].many if found else 0
    return DifferencePage(
        operation=operation_id,
        differences=[_row(one, operation.type) for one in found],
        counted=counted,
        kept=kept,
        why="" if kept else _why_none(operation, counted),
        next=following,
    )


def preview_counts(operation_id: int) -> list[PreviewCount]:
    """What this preview would do, counted by kind and Record; exact, whatever is listed of it."""
    operation = visible_operations(operation_id).first()
    return [] if operation is None else _counts(operation)


def _counts(operation: Any) -> list[PreviewCount]:
    if not operation.preview:
        return []
    kinds = COUNTED_AS.get(operation.type, {})
    if operation.type == "deliver" and not seen_whole(operation.connection_id):
        own = models.Difference.objects.filter(operation_id=operation.pk, record_id__in=own_records())
        counted = [
            PreviewCount(kind=kind, record_id=None, record="", count=number)
            for kind, number in own.order_by().values_list("kind").annotate(n=Count("pk"))
        ]
    elif operation.type in ("discover", "deliver"):
        counted = [
            PreviewCount(kind=kinds[word], record_id=None, record="", count=number)
            for word, number in operation.counts.items()
            if word in kinds and number
        ]
    else:
        results = models.Result.objects.select_related("record").filter(operation_id=operation.pk, family="")
        if not seen_whole(operation.connection_id):
            results = results.filter(record_id__in=own_records())
        counted = [
            PreviewCount(kind=kinds[word], record_id=result.record_id, record=result.record.name, count=number)
            for result in results.order_by("record__name", "record_id")
            for word, number in result.counts.items()
            if word in kinds and number
        ]
    return sorted(counted, key=lambda one: KINDS.index(one.kind))


def _why_none(operation: Any, counted: int) -> str:
    label = operation.connection.pk if operation.connection.draft_at else shlex.quote(operation.connection.label)
    if not operation.preview:
        return f"Operation {operation.pk} was no preview: what it did is in its results."
    if operation.status in UNDER_WAY:
        return "The preview has not ended."
    if counted:
        return f"Its differences were kept a day. Preview again: tidegate {operation.type} {label} --preview"
    return "Nothing would change."


def _row(one: Any, type: str) -> DifferenceRow:
    because: str = CLOSED_BECAUSE.get(one.because) or one.because
    return DifferenceRow(
        id=one.pk,
        kind=one.kind,
        what=WHATS_THERE[one.kind] if type == "deliver" else _what(one, because),
        record_id=one.record_id,
        record=one.title if one.record is None else one.record,
        finding_id=one.finding_id,
        family=one.family,
        branch=one.branch,
        key=one.key,
        title=one.title,
        severity="" if one.severity is None else Severity.of_rank(one.severity).value,
        because=because,
        changes=list(_changes(one.before, one.after)),
    )


def _what(one: Any, because: str) -> str:
    product = one.before.get("product")
    if one.kind == "mapped":
        made = "which would be made for it" if one.after["made"] else "which is there already"
        return f"Would be mapped to «{one.after['product']}», {made}."
    if one.kind == "missing" and product:
        return f"Would go Missing; it flows into «{product}»."
    if one.kind == "held" and not one.family:
        flows = f" It flows into «{product}»." if product else ""
        return f"Would be held: too many are gone at once to be believed.{flows}"
    if one.kind == "ignored":
        because = one.after.get("because", "")
    return WHATS.get(one.kind, "Would differ.").format(because=f": {because}" if because else "")


_SAID: Final = ("product", "made", "because")
"""Said in the sentence already."""

_NESTED: Final = ("fields", "attributes")


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    """Field by field; of the tool's own fields and attributes only those that differ."""
    for field in dict.fromkeys((*before, *after)):
        was, would_be = before.get(field), after.get(field)
        if field == "severity_vendor" and (was, would_be) == (before.get("severity"), after.get("severity")):
            continue  # nobody decided otherwise, so one of the two says it
        if field in _NESTED:
            yield from _nested(was or {}, would_be or {})
        elif field not in _SAID:
            yield FieldChange(field=_title(field), before=_word(field, was), after=_word(field, would_be))


def _nested(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in dict.fromkeys((*before, *after)):
        was, would_be = before.get(name), after.get(name)
        if was != would_be and name != "severity":  # of the tool's own fields; the same is said above
            yield FieldChange(field=_title(name), before=_word(name, was), after=_word(name, would_be))


def _title(field: str) -> str:
    return TITLES.get(field, field.replace("_", " "))


def _word(field: str, value: Any) -> str:
    """A fact as a person reads it: severities and the tool's own verdict are stored as numbers."""
    if field in ("severity", "severity_vendor") and isinstance(value, int):
        return Severity.of_rank(value).value
    if field == "vendor_verdict" and isinstance(value, int):
        return VENDOR_VERDICTS.get(value, str(value))
    if field == "closed_because" and value is not None:
        return CLOSED_BECAUSE.get(value) or str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
