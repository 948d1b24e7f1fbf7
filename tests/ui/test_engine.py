"""What templates of pages may say, and what a misspelling in one does: docs/decisions/0019."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.template import engines
from django.urls import URLPattern, reverse
from django.urls.converters import IntConverter
from jinja2 import Environment, UndefinedError

from tidegate.ui import engine, urls

TEMPLATES = Path(engine.__file__).parent / "templates"


@pytest.fixture
def pages() -> Environment:
    backend: Any = engines["pages"]
    return backend.env


def said(pages: Environment, template: str, **given: Any) -> str:
    return pages.from_string(template).render(given)


@pytest.mark.parametrize(
    "template", ["{{ name }}", "{{ row.name }}", "{% if row.name %}x{% endif %}", "{{ gone.name }}"]
)
def test_what_nobody_gave_is_an_error(pages: Environment, template: str):
    with pytest.raises(UndefinedError, match="name"):
        said(pages, template, row=object(), gone=None)


def test_what_a_mapping_lacks_is_nothing_and_nothing_is_printed_as_nothing(pages: Environment):
    template = "<{{ chosen.tool }}{{ nothing }}{{ chosen.items()|list|length }}>"

    assert said(pages, template, chosen={}, nothing=None) == "<0>"


def test_what_others_wrote_is_text(pages: Environment):
    hostile = "<img src=x onerror='alert(1)'>\"&"
    shown = ("{{ it }}", '<a title="{{ it }}">', "{{ it|beginning(99) }}", "{{ it|lines }}", "{{ spark([1, 2], it) }}")
    for template in shown:
        text = said(pages, template, it=hostile)
        assert "<img" not in text, template
        assert "onerror='" not in text, template
        assert '=x"' not in text, template


def test_every_template_can_be_read(pages: Environment):
    found = [str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html")]

    assert len(found) > 60
    for name in found:
        pages.get_template(name)


def test_an_address_made_fast_is_the_one_that_django_makes():
    named = [one for one in urls.urlpatterns if isinstance(one, URLPattern) and one.name]
    of_one_id = [
        one.name for one in named if [type(each) for each in one.pattern.converters.values()] == [IntConverter]
    ]

    assert len(of_one_id) > 20
    assert [engine.url(str(name), 7) for name in of_one_id] == [reverse(name, args=[7]) for name in of_one_id]
    assert engine.url("status") == reverse("status")


def test_the_forms_of_a_page_send_one_token_and_a_page_without_any_asks_for_none(pages: Environment):
    with_forms, without = HttpRequest(), HttpRequest()
    text = said(pages, "{{ csrf_input }} {{ csrf_input }}", **engine.token(with_forms))
    said(pages, "nothing", **engine.token(without))

    first, second = text.split("> <")
    assert first.removeprefix("<").rstrip(">") == second.rstrip(">")
    assert 'name="csrfmiddlewaretoken"' in first
    assert "CSRF_COOKIE" in with_forms.META
    assert "CSRF_COOKIE" not in without.META
