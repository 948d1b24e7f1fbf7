"""The rooms of the house, as the bar of every page names them."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.urls import reverse


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


def rooms(path: str) -> list[tuple[str, str, bool]]:
    """Each with its name, its address, and whether the page at this path lies in it."""
    named = [(room, reverse(room.page)) for room in ROOMS]
    return [(room.name, address, path == address or path.startswith(room.paths)) for room, address in named]


SETTINGS: Final = (
    ("settings", "About"), ("people", "People"), ("tokens", "Tokens"), ("notifications", "Notifications"),
    ("delivery", "Delivery"), ("keys", "Keys"), ("audit", "Audit"),
)  # fmt: skip


def settings_rooms(path: str) -> list[tuple[str, str, bool]]:
    """The pages of Settings, told like the rooms."""
    return [(name, address, path == address) for page, name in SETTINGS for address in (reverse(page),)]
