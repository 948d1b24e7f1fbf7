"""Settings, Delivery: where findings are delivered to, looked at before anything is, and which of them go where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from pydantic import SecretStr

from tidegate.actions import destination as actions
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.version import expecting
from tidegate.delivery.defectdojo.preflight import Preflight
from tidegate.delivery.defectdojo.settings import fields
from tidegate.reads import connection, destination, product_type
from tidegate.reads.page import number
from tidegate.reads.version import version_of
from tidegate.reads.viewer import demand_everywhere
from tidegate.rules.actor import Actor
from tidegate.ui.entered import field_shown, value_of
from tidegate.ui.page import act, back, form_page, saying, show, tell

SEVERAL_FIELDS: Final = "Nothing was saved: what is marked cannot be used as it is."


@dataclass
class Entered:
    """What a person entered for a Destination, and what is wrong with it. Secrets never go back to the page."""

    name: str = ""
    product_type: str = ""
    engagement_name: str = "Global Connectors"
    join_products: str = "ask"
    writes_per_minute: str = "120"
    on: bool = True
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    secrets: dict[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    stored: bool = False
    """It is there already, so that its secrets need not be entered again."""
    version: str = ""
    """Of what the person looked at when they began to edit."""
    problems: dict[str, str] = field(default_factory=dict[str, str])
    refused: str = ""

    @classmethod
    def of(cls, given: QueryDict, *, stored: bool = False) -> Entered:
        """What a form says."""

        def text(name: str) -> str:
            return given.get(name, "").strip()

        form = cls(
            name=text("name"), product_type=text("product_type"), engagement_name=text("engagement_name"),
            join_products=text("join_products"), writes_per_minute=text("writes_per_minute"), version=text("version"),
            on="on" in given, stored=stored,
        )  # fmt: skip
        for one in fields():
            value = value_of(given, one)
            if value is not None and one.secret:
                form.secrets[one.name] = SecretStr(str(value))
            elif value is not None:
                form.settings[one.name] = value
        return form

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The server's own fields, each with what was entered and what is wrong with it."""
        return [
            field_shown(
                one,
                self.settings.get(one.name, one.default),
                stored=self.stored and one.required,
                problem=self.problems.get(one.name, ""),
            )
            for one in fields()
        ]

    def common(self) -> dict[str, Any]:
        """What adding and editing both take."""
        return {
            "product_type": self.product_type, "engagement_name": self.engagement_name,
            "join_products": self.join_products, "writes_per_minute": number(self.writes_per_minute) or 0,
        }  # fmt: skip

    def changed(self, stored: dict[str, Any]) -> dict[str, Any]:
        """The settings that are others than those that hold; None sets one back to its default."""

        def plain(value: Any) -> Any:
            return None if value in ("", []) else value

        entered = [(one, self.settings.get(one.name)) for one in fields() if not one.secret]
        return {one.name: value for one, value in entered if plain(value) != plain(stored.get(one.name, one.default))}

    def blame(self, refused: Refused) -> None:
        """Keeps what was refused, beside its field where it is one's."""
        self.problems = dict(refused.fields)
        self.refused = SEVERAL_FIELDS if self.problems else f"{refused.sentence} {refused.next_step}"


@form_page
def delivery(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """The Destinations; adding one."""
    form = Entered()
    if request.method == "POST":
        form = Entered.of(request.POST)
        try:
            actions.add_destination(actor, form.name, form.settings, form.secrets, **form.common())
        except NotThere:
            raise
        except Refused as refused:
            form.blame(refused)
        else:
            tell(request, "It is stored. Nothing is delivered until you say what goes there.")
            return redirect("delivery")
    return shown(request, actor, form, status=422 if form.refused else 200)


@form_page
def edit_destination(request: HttpRequest, actor: Actor, /, *, destination_id: int) -> HttpResponse:
    """The form of a Destination that is there. What is left empty of its secrets stays as it is."""
    demand_everywhere("administrator", "Editing a Destination")
    row = the_row(destination_id)
    if request.method == "POST":
        form = Entered.of(request.POST, stored=True)
        try:
            with expecting("destination", destination_id, frozenset({form.version})):
                actions.edit_destination(
                    actor, destination_id, name=form.name, settings=form.changed(row.settings) or None,
                    secrets=form.secrets or None, on=form.on, **form.common(),
                )  # fmt: skip
        except NotThere:
            raise
        except Refused as refused:
            form.blame(refused)
        else:
            tell(request, "Saved." if form.on else "Saved. It is off: nothing is delivered.")
            return redirect("delivery")
    else:
        form = Entered(
            name=row.name, product_type=row.product_type, engagement_name=row.engagement_name,
            join_products=row.join_products, writes_per_minute=str(row.writes_per_minute), on=row.state == "on",
            settings=dict(row.settings), stored=True, version=version_of("destination", destination_id) or "",
        )  # fmt: skip
    return show(request, "setting/destination.html", {"row": row, "form": form}, status=422 if form.refused else 200)


@form_page
def delete_destination(request: HttpRequest, actor: Actor, /, *, destination_id: int) -> HttpResponse:
    """Lets a Destination go, once its name was typed: what is known of the deliveries to it cannot be brought back."""
    demand_everywhere("administrator", "Deleting a Destination")
    row, refused = the_row(destination_id), ""
    if request.method == "POST":
        try:
            actions.delete_destination(actor, destination_id, request.POST.get("typed_name", ""))
        except NotThere:
            raise
        except Refused as why:
            refused = f"{why.sentence} {why.next_step}"
        else:
            tell(request, f"{row.name} is deleted; what was delivered there stays there.")
            return redirect("delivery")
    context = {"row": row, "refused": refused}
    return show(request, "setting/delete_destination.html", context, status=422 if refused else 200)


@act
def try_destination(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """A look at the server with what is entered; nothing is stored, and nothing is written there."""
    of = number(request.POST.get("destination", ""))
    form = Entered.of(request.POST)
    try:
        settings = form.settings if of is None else form.changed(the_row(of).settings)
        looked = actions.try_destination(
            actor, settings, form.secrets, product_type=form.product_type, destination_id=of
        )
    except NotThere:
        raise
    except Refused as refused:
        return render(request, "setting/looked.html", {"refused": refused})
    return render(request, "setting/looked.html", {"looked": looked})


@act
def change_destination(request: HttpRequest, actor: Actor, /, *, destination_id: int) -> HttpResponse:
    """A button of one Destination: a look at it now, off or on, what goes there and what does not any more."""
    given = request.POST
    with saying(request):
        match given.get("do"):
            case "test":
                return shown(request, actor, Entered(), looked=actions.test_destination(actor, destination_id))
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
                tell(request, "Nothing was chosen, so nothing was done.", "warning")
    return back(request, reverse("delivery"))


def shown(
    request: HttpRequest, actor: Actor, form: Entered, *, looked: Preflight | None = None, status: int = 200
) -> HttpResponse:
    """The page, with what a look has found."""
    context: dict[str, Any] = {
        "destinations": destination.destinations().destinations,
        "looked": looked,
        "form": form,
        "may": actor.access.may("administrator"),
    }
    return show(request, "setting/delivery.html", context, status=status)


def the_row(destination_id: int) -> destination.DestinationRow:
    found = destination.destination(destination_id)
    if found is None:
        raise NotThere(f"There is no Destination {destination_id}, or you may not see it.", "Look at all of them.")
    return found


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
