"""Settings, Delivery: where findings are delivered to, looked at before anything is, and which of them go where."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from pydantic import SecretStr

from tidegate.actions import destination as actions
from tidegate.actions.errors import NotThere, Refused
from tidegate.delivery.defectdojo.preflight import Preflight
from tidegate.reads import connection, destination, product_type
from tidegate.reads.page import number
from tidegate.rules.actor import Actor
from tidegate.ui.page import act, back, form_page, saying, show, tell


@form_page
def delivery(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """The Destinations; adding one, after a look at it."""
    refused, looked, given = "", None, request.POST
    if request.method == "POST":
        try:
            secrets = {"token": SecretStr(given.get("token", ""))} if given.get("token") else {}
            settings, there = settings_of(given), given.get("product_type", "")
            if given.get("do") == "try":
                looked = actions.try_destination(actor, settings, secrets, product_type=there)
            else:
                actions.add_destination(
                    actor, given.get("name", ""), settings, secrets, product_type=there,
                    join_products=given.get("join_products", "ask"),
                    writes_per_minute=number(given.get("writes_per_minute", "")) or 0,
                )  # fmt: skip
                tell(request, "It is stored. Nothing is delivered until you say what goes there.")
                return redirect("delivery")
        except NotThere:
            raise
        except Refused as why:
            refused = f"{why.sentence} {why.next_step}"
    return shown(request, actor, refused=refused, looked=looked, status=422 if refused else 200)


@act
def change_destination(request: HttpRequest, actor: Actor, /, *, destination_id: int) -> HttpResponse:
    """A button of one Destination: a look at it now, off or on, what goes there, or forgotten."""
    given = request.POST
    with saying(request):
        match given.get("do"):
            case "test":
                return shown(request, actor, looked=actions.test_destination(actor, destination_id))
            case "off" | "on" as wanted:
                actions.edit_destination(actor, destination_id, on=wanted == "on")
                tell(request, f"It is {wanted}.")
            case "take":
                chosen = chosen_of(given.get("takes", ""), given.get("which", ""))
                actions.add_destination_route(actor, destination_id, **chosen)
                tell(request, "It goes there with the next delivery.")
            case "leave":
                actions.remove_destination_route(actor, number(given.get("route", "")) or 0)
                tell(request, "It goes there no more; what was delivered stays there.")
            case _:
                actions.delete_destination(actor, destination_id, given.get("typed_name", ""))
                tell(request, "It is deleted; what was delivered there stays there.")
    return back(request, reverse("delivery"))


def shown(
    request: HttpRequest, actor: Actor, *, refused: str = "", looked: Preflight | None = None, status: int = 200
) -> HttpResponse:
    """The page, with what a look has found."""
    context: dict[str, Any] = {
        "destinations": destination.destinations().destinations,
        "refused": refused,
        "looked": looked,
        "given": request.POST,
        "may": actor.access.may("administrator"),
    }
    return show(request, "setting/delivery.html", context, status=status)


def chosen_of(kind: str, which: str) -> dict[str, Any]:
    """What a route is to take, by the name or number that was entered. Raises Refused where that is nothing, or several
    things."""
    if kind not in ("connection", "product_type"):
        return {}
    found = connection.named(which.strip()) if kind == "connection" else product_type.named(which.strip())
    what = "Connection" if kind == "connection" else "Product Type"
    if len(found) != 1:
        raise Refused(f"There is no one {what} of that name.", "Enter its name just so, or its number.")
    return {f"{kind}_id": found[0].id}


def settings_of(given: QueryDict) -> dict[str, Any]:
    """URL and authority; what hardly anybody needs is said by `tidegate destination edit`."""
    settings: dict[str, Any] = {"url": given.get("url", "").strip()}
    if certificate := given.get("certificate", "").strip():
        settings["certificate"] = certificate
    return settings
