"""What the templates of pages can say, and how they become pages: Jinja2, which makes a Python function of each
(docs/decisions/0019). The log-in and its neighbours are django-allauth's, and stay on Django's language, in entrance/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any, Final

from django import template
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template import defaultfilters
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import capfirst, slugify
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from tidegate.rules.names import beginning
from tidegate.ui import markup, picture, room, words

FILTERS: Final[tuple[Callable[..., Any], ...]] = (
    words.moment, words.day, words.clock, words.machine, words.relative, words.tone, words.shape, words.several,
    words.thousands, words.took, words.words, words.of, words.plain, words.initials, words.spent_on, beginning,
    markup.markdown, markup.web, markup.lines, capfirst, slugify, defaultfilters.pluralize,
)  # fmt: skip
GLOBALS: Final[tuple[Callable[..., Any], ...]] = (
    picture.icon, picture.severity, picture.days, picture.spark, picture.time, room.rooms, room.settings_rooms,
)  # fmt: skip

ANY_ID: Final = 9_999_999_999

register = template.Library()
"""What the templates of entrance/ say with, besides Django's own words."""


class Pages(Environment):
    """Templates whose misspellings are errors, not empty places on a page: a name that nobody gave, a field that a row
    does not have. What a mapping lacks is nothing, as with its own `get`, and nothing is printed as nothing.
    """

    def __init__(self, **options: Any) -> None:
        ours = {"undefined": StrictUndefined, "finalize": printed, "keep_trailing_newline": True}
        super().__init__(**{**options, **ours})

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What a template means by `obj.attribute`."""
        found = super().getattr(obj, attribute)
        return None if isinstance(found, StrictUndefined) and isinstance(obj, Mapping) else found


def printed(value: object) -> object:
    """What is printed of a value."""
    return "" if value is None else value


def environment(**options: Any) -> Environment:
    """For Django's `TEMPLATES`."""
    made = Pages(**options)
    made.filters |= {one.__name__: one for one in FILTERS}
    made.globals |= {one.__name__: one for one in GLOBALS}
    made.globals["url"] = url
    return made


def url(name: str, *given: object, **named: object) -> str:
    """The address of a page by its name in urls.py. A table asks for several a row, nearly all with one id: where it
    stands in the address is looked up once.
    """
    if not named and len(given) == 1 and type(given[0]) is int:
        before, after = _around(name)
        return f"{before}{given[0]}{after}"
    return reverse(name, args=given, kwargs=named) if given or named else _alone(name)


@cache
def _around(name: str) -> tuple[str, str]:
    before, _, after = reverse(name, args=(ANY_ID,)).partition(str(ANY_ID))
    return before, after


@cache
def _alone(name: str) -> str:
    return reverse(name)


class Token:
    """The token that every form of a page sends, masked once a page; Django would mask it anew for each form, which of
    a page of 50 Records took a fifth of the time."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def _field(self) -> Markup:
        return Markup('<input type="hidden" name="csrfmiddlewaretoken" value="{}">').format(get_token(self.request))

    def __html__(self) -> str:
        return self._field


def token(request: HttpRequest) -> dict[str, Token]:
    """For Django's `context_processors`. A page without a form asks for none, and sets no cookie."""
    return {"csrf_input": Token(request)}


@register.simple_tag(takes_context=True)
def part(context: template.Context, name: str, **given: Any) -> Markup:
    """A part of our own pages, in a template of entrance/: both kinds of pages have one head and one bar."""
    return Markup(render_to_string(name, given, context["request"], using="pages"))  # noqa: S704 - it was escaped there


for one in (words.moment, words.machine, words.several):
    register.filter(one.__name__, one)
