"""Find anything: a page of what was found, and the choices of the field that stands on every page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from tidegate.reads.find import anything
from tidegate.rules.actor import Actor
from tidegate.ui.page import page, show

KINDS = (
    ("product", "Products"), ("connection", "Connections"), ("operation", "Operations"), ("record", "Records"),
    ("finding", "Findings"),
)  # fmt: skip


@page
def find(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """All that has these words, kind by kind."""
    return show(request, "find/page.html", _found(request))


@page
def options(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """The same as choices of a combobox; the last one leads to the page."""
    return show(request, "find/options.html", _found(request))


def _found(request: HttpRequest) -> dict[str, Any]:
    words = request.GET.get("search", "").strip()[:200]
    found = anything(words)
    by_kind = [(kind, name, [one for one in found.hits if one.kind == kind]) for kind, name in KINDS]
    return {"words": words, "found": found, "kinds": [one for one in by_kind if one[2]]}
