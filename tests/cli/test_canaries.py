"""promises.md, 7: secrets are seeded in a Connection, used and misused, and hunted wherever Tidegate says something."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trustme
from django.db import connection as database_connection

from sdk.tests.authority import key_of, pem_of, serving
from sdk.tests.gateway import Gateway
from sdk.tests.vendor import answer
from tidegate.demo.fake_burp import FakeBurp
from tidegate.demo.fake_burp.server import API_KEY

PROXY_PASSWORD, KEY_PASSWORD, SERVICE_PASSWORD = "canary/proxy:word+1", "canary/key word=2", "canary-service-word-3"


def spellings(secret: str) -> set[str]:
    """As it is, quoted for URL and JSON, in hex, and in base64 wherever in a longer text it may stand."""
    plain = secret.encode()
    cores = {b64encode(bytes(at) + plain)[(0, 2, 3)[at] : (at + len(plain)) * 8 // 6].decode() for at in range(3)}
    urlsafe = {core.translate(str.maketrans("+/", "-_")) for core in cores}
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], plain.hex(), *cores, *urlsafe}


class Hunt:
    """What was said, by where; and the processes that were seen while something ran."""

    def __init__(self, canaries: dict[str, str]) -> None:
        self.canaries = canaries
        self.said: dict[str, str] = {}

    def hear(self, where: str, text: str) -> None:
        self.said[f"{len(self.said)} {where}"] = text

    def found(self) -> list[str]:
        return [
            f"{name} in {where}"
            for where, text in self.said.items()
            for name, secret in self.canaries.items()
            if any(form.lower() in text.lower() if form == secret.encode().hex() else form in text
                   for form in spellings(secret))
        ]  # fmt: skip

    @contextmanager
    def watched_processes(self) -> Iterator[None]:
        over, seen = threading.Event(), set[str]()

        def look() -> None:
            while not over.wait(0.02):
                for place in Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        seen.add(place.read_text(errors="replace"))
                    except OSError:
                        continue  # it ended meanwhile, or is somebody else's

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            assert any("canary-run" in line for line in seen), "the command was not seen"
            self.hear("process list", "\n".join(seen))


@contextmanager
def proxy() -> Iterator[Gateway]:
    """In a thread of its own: the commands have their own loops."""
    gateway, loop = Gateway(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(gateway.start(), loop).result()
    try:
        yield gateway
    finally:
        asyncio.run_coroutine_threadsafe(gateway.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[trustme.CA, trustme.LeafCert, dict[str, str]]:
    authority = trustme.CA()
    ours = authority.issue_cert("tidegate.test")
    key = key_of(ours, KEY_PASSWORD)
    (tmp_path / "client.key").write_text(key)
    for name, value in (("BURP_KEY", API_KEY), ("PROXY_WORD", PROXY_PASSWORD), ("KEY_WORD", KEY_PASSWORD)):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TIDEGATE_PROXY", f"http://service:{SERVICE_PASSWORD}@127.0.0.1:1")
    lines = {f"line {at} of the client key": line for at, line in enumerate(key.splitlines()) if "---" not in line}
    named = {"the token": API_KEY, "the proxy's password": PROXY_PASSWORD, "the client key's password": KEY_PASSWORD}
    return authority, ours, {**named, "the password of the service's proxy": SERVICE_PASSWORD, **lines}


def stored() -> str:
    """Every row of every table, bytes in hex."""
    with database_connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        rows: list[str] = []
        for table in tables:
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            rows += [text for (text,) in cursor.fetchall()]
    return "\n".join(rows)


def test_no_secret_of_a_connection_is_said_anywhere(
    tidegate: Any, secrets: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    authority, ours, canaries = secrets
    monkeypatch.setenv("TIDEGATE_LOG_LEVEL", "debug")
    hunt = Hunt(canaries)

    def ran(*arguments: str, code: int | None = None) -> Any:
        answered = tidegate(*arguments)
        hunt.hear(" ".join(arguments[:3]), answered.out + answered.err)
        assert code is None or answered.code == code, answered.out + answered.err
        return answered

    with FakeBurp(tls=serving(authority.issue_cert("localhost"), authority)) as burp, proxy() as gateway:
        ways = [
            *("--set", f"url={burp.url}", "--set", f"certificate={authority.cert_pem.bytes().decode()}"),
            *("--set", f"client_certificate={pem_of(ours)}", "--set", f"proxy=user@127.0.0.1:{gateway.port}"),
            *("--secret", "api_key=env:BURP_KEY", "--secret", f"client_key=file:{tmp_path / 'client.key'}"),
            *("--secret", "client_key_password=env:KEY_WORD", "--secret", "proxy_password=env:PROXY_WORD"),
        ]
        ran("connection", "add", "burpsuite", "--label", "Burp", *ways, code=0)
        ran("record", "map", "Storefront", "--new", "Web shop", code=0)
        for json_ in ((), ("--json",)):
            ran("connection", "test", "Burp", *json_, code=0)
            ran("connection", "show", "Burp", *json_, code=0)
            ran("sync", "Burp", *json_, code=0)
            ran("operation", "log", "1", *json_)
        command = [
            sys.executable,
            "-c",
            "import tidegate.cli; tidegate.cli.main() # canary-run",
            "connection",
            "test",
            "Burp",
        ]
        with hunt.watched_processes():
            alone = subprocess.run(command, capture_output=True, text=True, check=False)
        hunt.hear("a process of its own", alone.stdout + alone.stderr)

        gateway.answer = answer(407, f"no, not {PROXY_PASSWORD}".encode())
        assert "asks for a user" in ran("connection", "test", "Burp").out
        gateway.answer = answer(502, f"no, not {API_KEY}".encode())
        ran("sync", "Burp")
        gateway.answer = b""
        monkeypatch.setenv("WRONG", "canary-that-is-wrong")
        canaries["a wrong password"] = "canary-that-is-wrong"
        ran("connection", "edit", "Burp", "--secret", "client_key_password=env:WRONG", "--set", "proxy=direct", code=0)
        assert "cannot be opened" in ran("connection", "test", "Burp").out
        ran("connection", "edit", "Burp", "--set", f"client_certificate={key_of(ours, KEY_PASSWORD)}", code=1)
        ran("connection", "edit", "Burp", "--set", f"proxy=http://user:{PROXY_PASSWORD}@127.0.0.1:1", code=1)

        # A vendor that repeats whatever it was told, and more than that, in words of its own.
        told = [secret for name, secret in canaries.items() if name != "a wrong password"]
        spoken = " ".join(f"{quote(secret, safe='')} {secret.encode().hex()} {secret}" for secret in told)
        gateway.answer = answer(400, {"message": f"You said {API_KEY}, {PROXY_PASSWORD} and {spoken[:700]}"})
        plain = ("--set", "url=http://burp.test/", "--set", "client_certificate=")
        plain += ("--secret", "client_key_password=env:KEY_WORD")
        ran("connection", "edit", "Burp", *plain, "--set", f"proxy=user@127.0.0.1:{gateway.port}", code=0)
        for json_ in ((), ("--json",)):
            assert "You said" in ran("connection", "test", "Burp", *json_).out
            ran("sync", "Burp", *json_)
            ran("operation", "log", "4", *json_)
        ran("operation", "list", "--json")
        ran("doctor")

    hunt.hear("the database", stored())
    hunt.hear("the log", "".join(capfd.readouterr()))
    assert gateway.asked, "the proxy was not used"
    assert hunt.found() == []


def test_the_hunt_finds_what_it_hunts():
    hunt = Hunt({"the token": "canary/one two"})
    forms = [
        "canary/one two",
        "canary%2Fone%20two",
        b64encode(b"user:canary/one two").decode(),
        b"canary/one two".hex(),
    ]

    for form in forms:
        hunt.hear("a place", f"before {form} after")

    assert len(hunt.found()) == len(forms)
