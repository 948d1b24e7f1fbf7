"""What a configuration file manages, noted and let go. The caller has the transaction open."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models.functions import Now

from tidegate.rules.actor import Actor
from tidegate.store.models import Managed


def note_managed(actor: Actor, source: str, things: Collection[tuple[str, int]]) -> None:
    """From now on this file manages these, and nothing else; only what is not noted so yet is written."""
    before = {(row.kind, row.thing_id): row for row in Managed.objects.select_for_update().all()}
    wanted = set(things)
    gone = [row.pk for thing, row in before.items() if row.source == source and thing not in wanted]
    Managed.objects.filter(pk__in=gone).delete()
    taken = [row.pk for thing, row in before.items() if row.source != source and thing in wanted]
    Managed.objects.filter(pk__in=taken).update(source=source, at=Now(), by=str(actor))
    new = sorted(wanted - before.keys())
    rows = [Managed(kind=kind, thing_id=id, source=source, by=str(actor)) for kind, id in new]
    Managed.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5_000)


def forget_managed(kind: str, id: int) -> None:
    """It is not there any more."""
    Managed.objects.filter(kind=kind, thing_id=id).delete()
