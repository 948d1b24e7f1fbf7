"""The rooms of the house, as the bar of every page names them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django import template
from django.urls import reverse

register = template.Library()


class Room(NamedTuple):
    """A room, and the beginnings of the addresses that lie in it."""

    name: str
    page: str
    paths: tuple[str, ...]


ROOMS: Final = (
    Room("Home", "status", ()),
    Room("Connectors", "connections", ("/connectors", "/connections")),
    Room("Inbox", "inbox", ("/inbox", "/records")),
    Room("Operations", "operations", ("/operations",)),
    Room("Products", "products", ("/products", "/findings")),
    Room("Settings", "settings", ("/settings",)),
)


@register.inclusion_tag("parts/rooms.html", takes_context=True)
def rooms(context: Any) -> dict[str, Any]:
    """Each with its address, and which of them this page lies in."""
    path = context["request"].path
    return {
        "rooms": [
            (room.name, reverse(room.page), path == reverse(room.page) or path.startswith(room.paths)) for room in ROOMS
        ]
    }


SETTINGS: Final = (
    ("settings", "About"), ("people", "People"), ("tokens", "Tokens"), ("notifications", "Notifications"),
    ("delivery", "Delivery"), ("keys", "Keys"), ("audit", "Audit"),
)  # fmt: skip


@register.inclusion_tag("setting/rooms.html", takes_context=True)
def settings_rooms(context: Any) -> dict[str, Any]:
    """The pages of Settings."""
    return {"setting_rooms": SETTINGS, "request": context["request"]}
