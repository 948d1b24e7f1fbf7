"""The web part in a process of its own: what it answers, to whom, and what hostile clients cannot do to it."""

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.server.conftest import copied, made_spot
from tests.server.homes import ask, halted, keepers, opened, postmaster_of, wait_for
from tests.server.processes import TIDEGATE, Program, answers, free_port, get
from tidegate.server.gate import CARRIED

NAME = "tidegate.example.com"
PAGE = "/setup"
"""The page that nobody has to log in for, while there is no administrator."""


@dataclass
class Web:
    home: Path
    port: int
    program: Program

    def says(self, words: bytes, seconds: float = 60.0) -> bytes:
        """Everything that is answered to these bytes until the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as client:
            client.sendall(words)
            return read_all(client)

    def status(self, words: bytes) -> int:
        return int(self.says(words).split(b" ")[1])


def read_all(client: socket.socket) -> bytes:
    found = b""
    while more := client.recv(65536):
        found += more
    return found


@pytest.fixture(scope="module")
def web(template: Path) -> Iterator[Web]:
    for folder in made_spot():
        home, port = copied(template, folder / "home"), free_port()
        environment = {"TIDEGATE_HOME": str(home), "TIDEGATE_HOSTS": f"{NAME}, .example.net"}
        with Program(TIDEGATE, "web", "--port", str(port), environment=environment) as program:
            wait_for(lambda at=port: answers(at), "it answers")
            yield Web(home, port, program)
            assert program.end() == 0


@pytest.fixture
def database(web: Web) -> Iterator[str]:
    with opened(web.home) as found:
        yield found.url


# What every answer carries


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/static/style.css", "/nowhere"])
def test_every_answer_carries_what_keeps_a_browser_safe(web: Web, path: str):
    headers = get(web.port, path).headers

    for name, value in CARRIED.items():
        if name != "Cache-Control" or not path.startswith("/static/"):
            assert headers[name] == value
    assert "server" not in headers
    assert "set-cookie" not in headers


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(web: Web):
    page = get(web.port, PAGE)
    policy = page.headers["content-security-policy"]

    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy.startswith("default-src 'none'")
    for refused in ("<script>", " style=", "onload", "//"):
        assert refused not in page.text.replace("<!doctype", "")
    assert page.text.count("<script") == page.text.count('<script src="/static/')


def test_pages_are_not_kept_and_style_sheets_for_a_while(web: Web):
    assert get(web.port).headers["cache-control"] == "no-store"
    assert "max-age=300" in get(web.port, "/static/style.css").headers["cache-control"]


def test_every_file_that_the_page_asks_for_is_there_once_and_small(web: Web):
    page = get(web.port, PAGE).text
    asked = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)

    found = {path: get(web.port, path) for path in asked}

    assert set(asked) == {"/static/tidegate.svg", "/static/style.css", "/static/htmx.js", "/static/page.js"}
    assert {one.status_code for one in found.values()} == {200}
    assert {one.headers["content-encoding"] for path, one in found.items() if len(one.content) >= 1024} == {"gzip"}
    unchanged = get(web.port, "/static/style.css", **{"If-None-Match": found["/static/style.css"].headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_every_module_that_a_script_imports_is_there(web: Web):
    modules = re.findall(r'from "\./([^"]+)"', get(web.port, "/static/page.js").text)

    assert modules
    assert {get(web.port, f"/static/{name}").status_code for name in modules} == {200}


def test_where_nobody_is_administrator_every_page_leads_to_the_first_one(web: Web):
    found = get(web.port)

    assert (found.status_code, found.headers["location"]) == (302, PAGE)
    assert "The first administrator" in get(web.port, PAGE).text


def test_a_head_gets_the_headers_alone(web: Web):
    head, _, body = web.says(b"HEAD /setup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").partition(
        b"\r\n\r\n"
    )

    assert head.startswith(b"HTTP/1.1 200")
    assert body == b""


def test_there_is_a_page_for_what_is_not_there_and_it_repeats_nothing(web: Web):
    found = get(web.port, "/%3Cscript%3Ealert(1)%3C/script%3E")

    assert found.status_code == 404
    assert "There is no page of this address" in found.text
    assert "alert" not in found.text


@pytest.mark.parametrize("path", ["/static/../web.py", "/static/%2e%2e/web.py", "/static/..%2fweb.py", "//etc/passwd"])
def test_nothing_outside_the_style_sheets_is_given_away(web: Web, path: str):
    assert web.status(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()) == 404


# Who may ask, and how


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", NAME, f"{NAME}:8686", "a.example.net", "LOCALHOST"]
)
def test_it_answers_to_its_names(web: Web, host: str):
    assert get(web.port, PAGE, Host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example.org", "192.0.2.7", f"{NAME}.evil.org", f"x{NAME}", "a b", "", "[::1"])
def test_it_answers_to_no_other_name(web: Web, host: str):
    """A page of somebody else whose name was made to lead here (DNS rebinding) must read nothing."""
    found = web.status(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())

    assert found == 400


def test_two_names_are_no_name(web: Web):
    assert web.status(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.org\r\nConnection: close\r\n\r\n") == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_and_metrics_may_be_asked_for_by_address_but_not_by_a_strange_name(web: Web, path: str):
    wait_for(lambda: get(web.port, path).status_code == 200, "it has got over what another test did to it")

    assert get(web.port, path, Host="192.0.2.7:8686").status_code == 200
    assert get(web.port, path, Host="[2001:db8::1]").status_code == 200
    assert get(web.port, path, Host="evil.example.org").status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_only_reading_is_answered(web: Web, method: str):
    found = web.says(f"{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc".encode())

    assert found.startswith(b"HTTP/1.1 405")
    assert b"allow: GET, HEAD" in found


@pytest.mark.parametrize("body", ["Content-Length: 1000000000000", "Transfer-Encoding: chunked"])
def test_a_body_is_refused_unread(web: Web, body: str):
    assert web.status(f"GET / HTTP/1.1\r\nHost: localhost\r\n{body}\r\n\r\n".encode()) == 413


@pytest.mark.parametrize(
    "words",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000,
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_nothing_else_happens(web: Web, words: bytes):
    assert web.says(words).startswith(b"HTTP/1.1 400")
    assert answers(web.port)


def test_an_address_that_is_too_long_is_refused(web: Web):
    assert get(web.port, "/?" + "q" * 3000).status_code == 414


def test_headers_that_are_too_long_are_refused(web: Web):
    assert get(web.port, X="y" * 17_000).status_code == 431


# Many at once


def test_many_slow_clients_do_not_keep_others_from_their_answer(web: Web):
    clients = [socket.create_connection(("127.0.0.1", web.port), timeout=60) for _ in range(100)]
    try:
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: local")

        began = time.monotonic()
        assert get(web.port, PAGE).status_code == 200
        assert time.monotonic() - began < 50
    finally:
        for client in clients:
            client.close()


def test_more_requests_than_database_connections_are_all_answered(web: Web, database: str):
    """Promise: the database holds under 40 connections per worker machine; pages share a few."""
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(get(web.port, PAGE).status_code)) for _ in range(30)]
    for thread in threads:
        thread.start()
    most = 0
    while any(thread.is_alive() for thread in threads):
        most = max(most, ask(database, "SELECT count(*) FROM pg_stat_activity WHERE usename IS NOT NULL")[0][0])
    for thread in threads:
        thread.join()

    assert codes == [200] * 30
    assert most <= 6 + 2  # the pool, this test's own, and one that is just being closed


# Alive and ready


def test_ready_says_who_else_lives(web: Web):
    # An answer is shared for a second: what another test broke and mended may still be said.
    wait_for(lambda: get(web.port, "/readyz").status_code == 200, "it is ready")
    found = get(web.port, "/readyz")

    assert found.json() == {"ready": True, "reasons": [], "scheduler": False, "workers": 0}


def test_a_key_that_is_lost_while_secrets_are_stored_is_a_reason(web: Web, database: str):
    ask(
        database,
        "INSERT INTO connection (tool, label, settings, created_by, secrets)"
        " VALUES ('burpsuite', 'b', '{}', 'a', '\\x00')",
    )
    (web.home / "secret.key").rename(web.home / "mislaid")  # made to sign sessions with
    try:
        wait_for_reason(web, "The key that sealed the stored secrets is missing; put it back from a backup.")
    finally:
        ask(database, "DELETE FROM connection")
        (web.home / "mislaid").rename(web.home / "secret.key")


def test_a_newer_schema_is_a_reason(web: Web, database: str):
    ask(database, "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_later', now())")
    try:
        wait_for_reason(web, "a newer Tidegate (store.9999_later)")
    finally:
        ask(database, "DELETE FROM django_migrations WHERE name = '9999_later'")


def test_an_older_schema_is_a_reason(web: Web, database: str):
    newest = "(SELECT max(name) FROM django_migrations WHERE app = 'store')"
    ask(database, f"UPDATE django_migrations SET app = 'elsewhere' WHERE app = 'store' AND name = {newest}")
    try:
        wait_for_reason(web, "The database lacks 1 migrations; run: tidegate migrate")
    finally:
        ask(database, "UPDATE django_migrations SET app = 'store' WHERE app = 'elsewhere'")


def test_a_database_that_hangs_is_said_in_time_and_health_is_not_touched(web: Web):
    with halted(web.home):
        time.sleep(1.1)  # the last answer is good for a second
        began = time.monotonic()
        found = get(web.port, "/readyz")
        alive = get(web.port, "/healthz")

        assert found.status_code == 503
        assert "did not answer within 3 seconds" in found.json()["reasons"][0]
        assert alive.status_code == 200
        assert time.monotonic() - began < 50
        assert [get(web.port, "/readyz").status_code for _ in range(2)] == [503, 503]
    wait_for(lambda: get(web.port, "/readyz").status_code == 200, "it is ready again")


def test_a_database_that_is_killed_is_back_soon_and_the_page_says_so_meanwhile(web: Web):
    os.kill(postmaster_of(web.home), signal.SIGKILL)

    codes = set()
    wait_for(
        lambda: codes.add(get(web.port, PAGE).status_code) or get(web.port, "/readyz").status_code == 200, "it is back"
    )
    wait_for(lambda: get(web.port, PAGE).status_code == 200, "the page is back")
    assert codes <= {200, 503}
    assert len(keepers(web.home)) == 1


def wait_for_reason(web: Web, reason: str) -> None:
    wait_for(lambda: reason in get(web.port, "/readyz").text, f"it says: {reason}")
    assert get(web.port, "/readyz").status_code == 503


def test_no_secret_of_the_service_is_on_any_page(web: Web):
    password = (web.home / "postgres" / "password").read_text()
    texts = [get(web.port, path).text for path in ("/", "/readyz", "/metrics", "/nowhere")]

    assert not [text for text in texts if password in text or str(web.home) in text]
