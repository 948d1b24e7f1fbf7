"""Mapping rules of a Connection with a trial before they are saved, and Records that look renamed."""

from __future__ import annotations

from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from tidegate.actions import rule as actions
from tidegate.actions import suggestion as suggesting
from tidegate.actions.errors import NotThere, Refused
from tidegate.reads import rule as reads
from tidegate.reads.page import number
from tidegate.reads.place import among
from tidegate.reads.suggestion import suggestions as read_suggestions
from tidegate.rules.access import Place
from tidegate.rules.actor import Actor
from tidegate.rules.mapping import MappingRule
from tidegate.ui.allowed import allowed, only_looks
from tidegate.ui.page import act, back, form_page, local, page, saying, show, tell

SHOWN: Final = 50


@form_page
def rules(request: HttpRequest, actor: Actor, /, *, connection_id: int) -> HttpResponse:
    """The rules in their order; a new one is tried on every Record, then saved."""
    found = reads.rules(connection_id)
    if found is None:
        raise NotThere(f"There is no Connection {connection_id}, or you may not see it.", "Look at all Connections.")
    refused, tried, given = "", None, request.POST
    if request.method == "POST":
        again = "again" in given
        try:
            rule = _rule(given)
            if given.get("do") == "try":
                tried = reads.try_rules(connection_id, [*reads.stored_of(connection_id), rule], again=again)
            else:
                saved = actions.add_rule(actor, connection_id, rule, again=again)
                tell(
                    request,
                    "Saved. It decides about every Record that appears from now on.",
                    step=str(saved.step or ""),
                )
                return redirect("rules", connection_id=connection_id)
        except NotThere:
            raise
        except Refused as why:
            refused = f"{why.sentence} {why.next_step}"
    context = {
        "found": found, "refused": refused, "given": given, "tried": tried,
        "differences": tried.differences[:SHOWN] if tried else [],
        **allowed(actor.access, Place(connection_id=connection_id)),
    }  # fmt: skip
    return show(request, "rule/page.html", context, status=422 if refused else 200)


@act
def change_rule(request: HttpRequest, actor: Actor, /, *, connection_id: int, rule_id: int) -> HttpResponse:
    """A button of one rule: up, down, or gone."""
    given = request.POST
    with saying(request):
        if given.get("do") == "delete":
            actions.delete_rule(actor, rule_id)
            tell(request, "The rule is gone. What it decided stays.")
        else:
            actions.move_rule(actor, rule_id, number(given.get("position", "")) or 1)
            tell(request, "The order is changed: the first rule that matches wins.")
    return back(request, reverse("rules", args=[connection_id]))


@page
def suggestions(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Missing Records that look like ones that appeared, with what speaks for it."""
    of = number(request.GET.get("connection_id", ""))
    found = read_suggestions(of).suggestions
    there = {one.missing_id for one in found} | {one.new_id for one in found}
    decides = among("record", there, "mapper")
    context = {
        "found": found, "mine": {one.missing_id for one in found if {one.missing_id, one.new_id} <= decides},
        "within": of is not None,
        "next": local(request, request.headers.get("HX-Current-URL"), request.get_full_path()),
        "only_looks": only_looks(actor.access.may_somewhere("mapper")),
    }  # fmt: skip
    return show(request, "rule/suggestions.html", context, parts={"suggestions": "rule/suggested.html"})


@act
def answer_suggestion(request: HttpRequest, actor: Actor, /, *, missing_id: int, new_id: int) -> HttpResponse:
    """It is the same, or it is not."""
    with saying(request):
        if request.POST.get("do") == "accept":
            outcome = suggesting.accept_suggestion(actor, missing_id, new_id)
            tell(request, " ".join(item.sentence for item in outcome.items), step=str(outcome.step or ""))
        else:
            suggesting.dismiss_suggestion(actor, missing_id, new_id)
            tell(request, "It is not suggested again.")
    return back(request, reverse("suggestions"))


def _rule(given: QueryDict) -> MappingRule:
    answer = given.get("answer", "template")
    named: dict[str, Any] = {"template": given.get("template", "").strip() or "{name}"} if answer == "template" else {}
    if answer == "ignore":
        named = {"ignore": True, "because": given.get("because", "")}
    return actions.new_rule(
        given.get("pattern", ""), field=cast("Any", given.get("field", "name")), attribute=given.get("attribute", ""),
        syntax=cast("Any", given.get("syntax", "glob")), case_matters="case_matters" in given,
        product_type=given.get("product_type", ""), **named,
    )  # fmt: skip
