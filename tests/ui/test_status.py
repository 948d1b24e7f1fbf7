"""The status page as it is sent: what it says of each state of things, and what it never says."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection as django_connection
from django.http import HttpRequest
from django.test import RequestFactory

import tidegate.ui
from tests import world
from tests.database import parameters
from tidegate.server.postgres import Database
from tidegate.store import models
from tidegate.ui.pages.nothing_here import broken, not_found
from tidegate.ui.pages.status import status
from tidegate.ui.words import relative, several, tone

UI = Path(str(tidegate.ui.__file__)).parent
NOW = datetime(2026, 5, 3, 12, tzinfo=UTC)


def page() -> str:
    return status(asked()).content.decode()


def asked() -> HttpRequest:
    """The page, asked for by an administrator who is logged in."""
    carol, new = models.User.objects.get_or_create(username="carol", defaults={"created_by": "root"})
    if new:
        models.RoleGrant.objects.create(user=carol, role="administrator", scope="everything", created_by="root")
    request = RequestFactory().get("/")
    request.user = carol  # pyright: ignore[reportAttributeAccessIssue] - as the middleware does
    return request


def words(text: str) -> str:
    """What a person reads of it."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def everybody_lives() -> None:
    with django_connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")


@pytest.fixture
def scheduler(database: Database):
    """Another process that keeps the time."""
    with psycopg.connect(**parameters(database)) as other:  # pyright: ignore[reportArgumentType]
        other.execute("SELECT pg_advisory_lock(hashtext('tidegate.scheduler'))")
        yield
    with django_connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")


def test_with_nothing_connected_it_says_what_to_type(database: Database, scheduler: None):
    everybody_lives()

    said = words(page())

    assert "Nothing is connected yet" in said
    assert "tidegate connection add TOOL" in said
    assert "tidegate demo" in said


def test_without_scheduler_and_worker_it_says_which_commands_start_them(database: Database):
    said = words(page())

    assert "2 things need you" in said
    assert "tidegate scheduler" in said
    assert "tidegate worker" in said


def test_where_all_goes_well_it_says_so(database: Database, scheduler: None):
    everybody_lives()
    burp = world.connection("Burp Staging")
    world.operation(burp, "discover", ended_at=datetime.now(UTC))

    said = words(page())

    assert "Everything flows" in said
    assert "1 Connection " in said
    assert "Burp Staging BurpSuite" in said
    assert "the scheduler lives 1 worker" in said


def test_a_connection_that_needs_a_person_stands_first_with_why_and_what_to_do(database: Database, scheduler: None):
    everybody_lives()
    burp = world.connection("Burp Staging")
    why = "The tool rejected the login."
    world.operation(burp, "discover", "failed", why=why, cause="auth_rejected", ended_at=datetime.now(UTC))

    said = words(page())

    assert "1 thing needs you" in said
    assert said.index("Burp Staging needs you.") < said.index("Add Connection Health")
    assert f'href="/connections/{burp.pk}/edit">Fix</a>' in page()


def test_what_runs_shows_how_far_it_is(database: Database):
    burp = world.connection("Burp Staging")
    operation = world.operation(burp, status="running", started_at=datetime.now(UTC) - timedelta(minutes=5))
    models.Lease.objects.create(
        operation_id=operation.pk,
        attempt=1,
        until=datetime.now(UTC),
        worker="w",
        progress={"phase": "Reading findings", "done": 3, "total": 12, "seen": 900, "left": 300.0},
    )

    text = page()

    assert f"Burp Staging Sync {operation.pk} Reading findings" in words(text)
    assert "began 5 min ago" in words(text)
    assert '<progress max="12" value="3"' in text


def test_what_has_just_begun_has_no_numbers_yet(database: Database):
    world.operation(world.connection(), status="running")

    assert "It has just begun" in words(page())


def test_what_waits_is_listed_with_who_asked(database: Database):
    world.operation(world.connection("Burp Staging"), status="pending")

    assert "Waiting for their turn Burp Staging Sync 1 asked for by alice now" in words(page())


def test_what_a_vendor_or_a_person_wrote_is_text_and_nothing_else(database: Database):
    """Promise: autoescape; a label, a tool's words or an actor cannot become a tag."""
    evil = "<script>alert('x')</script><img src=x onerror=y>\"'"
    burp = world.connection(evil)
    world.operation(burp, "discover", "failed", why=evil, ended_at=datetime.now(UTC))
    running = world.operation(burp, "sync", "running", actor=evil)
    models.Lease.objects.create(
        operation_id=running.pk, attempt=1, until=datetime.now(UTC), worker=evil, progress={"phase": evil, "done": 1}
    )
    world.operation(burp, "sync", "pending", actor=evil)

    text = page()

    assert "<script>" not in text
    assert text.count("<script") == text.count('<script src="/static/')
    assert "<img" not in text
    assert text.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") >= 4


def test_no_secret_of_a_connection_is_on_it(database: Database):
    world.connection("Burp", secrets=b"sealed-words", settings={"url": "https://burp.example", "api_key": "in-clear"})

    text = page()

    assert "sealed-words" not in text
    assert "in-clear" not in text


def test_many_connections_cost_no_more_questions_than_few(database: Database, django_assert_max_num_queries):
    for number in range(60):
        world.operation(world.connection(f"Burp {number}"), "discover")

    with django_assert_max_num_queries(26):
        text = page()

    assert text.count('<th scope="row">') == 60


def test_without_a_database_it_says_so_and_what_to_run(database: Database, monkeypatch: pytest.MonkeyPatch):
    with django_connection.cursor() as cursor:
        cursor.execute("ALTER TABLE procrastinate_workers RENAME TO elsewhere")
    try:
        answer = status(asked())
    finally:
        with django_connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO procrastinate_workers")

    assert answer.status_code == 503
    assert "tidegate doctor" in words(answer.content.decode())


def test_a_question_that_takes_too_long_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tidegate.ui.page.SECONDS_TO_ANSWER", 0.2)
    request = asked()
    with psycopg.connect(**parameters(database)) as other:  # pyright: ignore[reportArgumentType]
        other.execute("LOCK TABLE connection IN ACCESS EXCLUSIVE MODE")

        assert status(request).status_code == 503


def test_the_other_pages_lead_back():
    request = RequestFactory().get("/nowhere")

    assert (not_found(request).status_code, broken(request).status_code) == (404, 500)
    assert b'<a href="/">' in not_found(request).content


# Words and looks


@pytest.mark.parametrize(
    ("away", "said"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=-5), "5 min ago"),
        (timedelta(minutes=119), "in 119 min"),
        (timedelta(hours=-2), "2 hours ago"),
        (timedelta(hours=47), "in 47 hours"),
        (timedelta(days=-40), "40 days ago"),
    ],
)
def test_a_time_is_said_as_people_say_it(away: timedelta, said: str):
    assert relative(NOW + away, NOW) == said


def test_a_count_is_said_with_its_noun():
    assert [several(number, "worker") for number in (0, 1, 1200)] == ["0 workers", "1 worker", "1,200 workers"]


def test_a_state_nobody_knows_has_a_quiet_tone():
    assert (tone("needs you"), tone("success"), tone("never heard of")) == ("bad", "good", "quiet")


def test_only_the_tokens_name_colours_and_every_token_is_there():
    tokens = (UI / "css" / "tokens.css").read_text()
    for sheet in (UI / "css").rglob("*.css"):
        text = sheet.read_text()
        if sheet.name != "tokens.css":
            assert not re.search(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(|oklch\(\d", text), sheet.name
        for name in re.findall(r"var\((--[\w-]+)\)", text):
            assert f"{name}:" in tokens + text, f"{sheet.name} uses {name}"
        assert "@import" not in text
        assert "url(" not in text


def test_no_template_runs_a_script_carries_a_style_or_turns_escaping_off():
    for template in (*(UI / "templates").rglob("*.html"), *(UI / "entrance").rglob("*.html")):
        text = re.sub(r'<script src="/static/[a-z]+\.js" (defer|type="module")></script>', "", template.read_text())
        for refused in ("<script", " style=", "|safe", "autoescape", "Markup", "http:", "https:", " onclick"):
            assert refused not in text, f"{template.name}: {refused}"
