"""promises.md, Attack and 7: every kind of secret there is, seeded, used, misused and refused in one whole story, then
hunted wherever Tidegate says something: answers, problems, logs, commands, exports, backups, the database, /proc."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from allauth.core.context import request_context
from allauth.mfa.totp.internal.auth import TOTP
from django.http import HttpRequest

from tests.api.conftest import Answer, Api, api
from tests.api.test_every_route import QUERY, READS
from tests.cli.conftest import Person, burp, tidegate
from tests.cli.test_canaries import Hunt, stored
from tests.delivery.webhook import Request, Webhook
from tests.server.homes import all_processes, words_of
from tidegate.config import load_settings
from tidegate.delivery.courier import Courier
from tidegate.delivery.deliver import deliver_once
from tidegate.demo.fake_burp import FakeBurp
from tidegate.guard.archive import pieces_of
from tidegate.server.postgres.program import client_program
from tidegate.store import models
from tidegate.store.writers.notification import save_news

__all__ = ["api", "burp", "tidegate"]

PASSWORD, ANOTHER = "canary-passw0rd-of-dora", "canary-passw0rd-that-is-wrong"
SIGNING = f"whsec_{b64encode(b'canary-signing-secret-0123456789').decode()}"
TOTP_SECRET = "CANARYTOTPSECRETABCDEFGHIJKLMNOP"
CLIENT_SECRET, PASSPHRASE = "canary-oidc-client-secret", "canary passphrase of a backup"
HOOK_WORD, HOOK_QUERY, HOOK_USER = "canary-hook-path", "canary-hook-query", "canary-hook-password"


@pytest.fixture(autouse=True)
def around(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the environment of the whole service, and the log that says most."""
    monkeypatch.setenv("TIDEGATE_LOG_LEVEL", "debug")
    monkeypatch.setenv("TIDEGATE_OIDC_ISSUER", "https://127.0.0.1:1/issuer")
    monkeypatch.setenv("TIDEGATE_OIDC_CLIENT_ID", "tidegate")
    monkeypatch.setenv("TIDEGATE_OIDC_CLIENT_SECRET", CLIENT_SECRET)


class Echo(BaseHTTPRequestHandler):
    """A vendor that fails, and says in its own words all that it was told."""

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = f"You said: {dict(self.headers)} {content[:200]!r}"
        body = json.dumps({"message": told}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - http.server's name

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def echo() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Story:
    """Whoever speaks with Tidegate here is heard by the hunt."""

    def __init__(self, api: Api, tidegate: Person, hunt: Hunt) -> None:
        self.api, self.tidegate, self.hunt = api, tidegate, hunt

    def ask(
        self, method: str, path: str, body: Any = None, *, status: int = 200, told: str = "", **query: Any
    ) -> Answer:
        """`told` is what this answer shows once: it is hunted everywhere else."""
        answer = self.api.as_("administrator").ask(method, path, query, body)
        assert answer.status == status, answer.body
        said = str(answer.headers) + answer.body.decode()
        if told:
            found = answer.json[told]
            self.hunt.canaries[f"{told} of {path}"] = found
            said = said.replace(found, "")
        self.hunt.hear(f"{method} {path}", said)
        return answer

    def run(self, *words: str, codes: tuple[int, ...] = (0,)) -> None:
        """As a table and as JSON."""
        for as_json in ((), ("--json",)):
            ran = self.tidegate(*words, *as_json)
            assert ran.code in codes, ran.out + ran.err
            self.hunt.hear(" ".join(words[:3]), ran.out + ran.err)

    def connect(self, burp: FakeBurp) -> int:
        wrong = {"tool": "burpsuite", "label": "x", "secrets": {"api_key": [burp.api_key]}}
        self.ask("POST", "/connections", wrong, status=422)
        self.ask("POST", "/connections", json.dumps(wrong)[:-1].encode(), status=400)
        about = {"tool": "burpsuite", "settings": {"url": burp.url}, "secrets": {"api_key": burp.api_key}}
        self.ask("POST", "/connections/try", about)
        self.exchange(burp.api_key)
        return self.ask("POST", "/connections", {**about, "label": "Burp"}, status=201).json["connection"]["id"]

    def exchange(self, secret: str) -> None:
        """Name and value by mistake in each other's place, wherever a secret is taken."""
        tool, label = {"tool": "burpsuite"}, {"label": "x"}
        for fields in ({"secrets": {secret: "api_key"}}, {"settings": {secret: "url"}}):
            for path in ("/connections", "/connections/drafts", "/connections/try"):
                body = tool | fields | ({} if path.endswith("try") else label)
                self.ask("POST", path, body, status=409)
                self.hear_as("operator", "POST", path, body, 403)
        for fields in (
            {"secrets": {secret * 9: "api_key"}}, {"secrets": {secret: ["api_key"]}}, {"settings": {secret * 9: 1}},
            {secret: "label"}, {"secrets": secret}, {"tool": {secret: 1}},
        ):  # fmt: skip
            self.ask("POST", "/connections", tool | label | fields, status=422)
        self.ask("PUT", "/users/1/password", {PASSWORD: "password"}, status=422)
        self.ask("POST", "/routes", {"name": "x", HOOK_WORD: "address"}, status=422)
        self.ask("POST", "/routes/webhooks", {"name": "x", "address": "y", SIGNING: "signing_secret"}, status=422)
        file = {"document": "version: 1\n", "secrets": {secret: "connections[0].secrets.api_key"}}
        for deed in ("plan", "apply"):
            self.ask("POST", f"/configuration/{deed}", file, status=409)
            self.hear_as("operator", "POST", f"/configuration/{deed}", file, 403)

    def hear_as(self, who: str, method: str, path: str, body: Any, status: int) -> None:
        answer = self.api.as_(who).ask(method, path, {}, body)
        assert answer.status == status, answer.body
        self.hunt.hear(f"{method} {path} as {who}", answer.body.decode())

    def flow(self, connection: int, burp: FakeBurp) -> None:
        self.run("discover", "Burp")
        self.run("record", "map", "Storefront", "--new", "Web shop", codes=(0, 1))  # the second time it is there
        self.run("sync", "Burp")
        self.ask("POST", f"/connections/{connection}/test")
        with echo() as url:
            edit = {"settings": {"url": url}, "secrets": {"api_key": burp.api_key}}
            self.ask("PATCH", f"/connections/{connection}", edit)
            failed = self.ask("POST", f"/connections/{connection}/test")
            assert "You said" in failed.body.decode()
            self.run("sync", "Burp", codes=(1, 3))
            self.run("discover", "Burp", codes=(1, 3))
            self.run("connection", "test", "Burp", codes=(1, 3))
        self.ask("PATCH", f"/connections/{connection}", {"settings": {"url": burp.url}})

    def notify(self, connection: int) -> None:
        with Webhook() as hook, Courier("allow") as courier:

            def repeats(request: Request) -> int:
                hook.location = f"http://{HOOK_USER}@127.0.0.1:1{request.path}"
                return 500

            hook.answer = repeats
            address = f"http://{hook.host}/{HOOK_WORD}?key={HOOK_QUERY}"
            made = self.ask(
                "POST", "/routes/webhooks", {"name": "Hook", "address": address, "signing_secret": SIGNING},
                status=201, told="signing_secret",
            )  # fmt: skip
            mail = f"json://user:{HOOK_USER}@{hook.host}/{HOOK_WORD}"
            other = self.ask("POST", "/routes", {"name": "Json", "address": mail}, status=201).json["id"]
            self.ask("POST", "/routes", {"name": "x", "address": f"nonsense://{HOOK_WORD}"}, status=409)
            self.ask("POST", "/routes", {"name": "x", "address": [address]}, status=422)
            for number in (made.json["route"]["id"], other):
                assert not self.ask("POST", f"/routes/{number}/test").json["ok"]
            save_news("needs_you", connection, facts={})
            while deliver_once(courier, load_settings()):
                pass
            assert len(hook.taken) >= 4
        self.run("notify", "list")
        self.run("notify", "log")
        self.ask("PUT", f"/connections/{connection}/trigger", {}, told="secret")
        self.ask("POST", f"/connections/{connection}/trigger", {"secret": "x"}, status=401)

    def people(self) -> None:
        made = self.ask("POST", "/users", {"name": "dora", "password": PASSWORD}, status=201)
        dora = models.User.objects.get(pk=made.json["id"])
        request = HttpRequest()
        request.user = dora  # pyright: ignore[reportAttributeAccessIssue] - as the session's middleware does
        with request_context(request):
            TOTP.activate(dora, TOTP_SECRET)
        self.ask("PUT", f"/users/{dora.pk}/password", {"password": [PASSWORD]}, status=422)
        self.ask("PUT", f"/users/{dora.pk}/password", {"password": "dora", "x": ANOTHER}, status=422)
        self.ask("POST", "/users", {"name": "service", "kind": "service", "password": ANOTHER}, status=409)
        self.ask("POST", "/tokens", {"name": "ci", "grants": [{"role": "reader"}]}, status=201, told="token")
        for guess in (f"Bearer {self.api.tokens['administrator']}x", f"Basic {PASSWORD}"):
            answer = self.api.as_("nobody").ask("GET", "/me", {}, headers={"authorization": guess})
            assert answer.status == 401
            self.hunt.hear("a guess", answer.body.decode())

    def look(self, connection: int) -> None:
        """Every route that shows something, every document, every command that lists."""
        for route in READS:
            path = re.sub(r"\{(\w+)\}", lambda name: "burpsuite" if name[1] == "slug" else str(connection), route.path)
            query = QUERY.get(route.of, {}) | ({"text": "Burp"} if path.endswith("/named") else {})
            for form in (route.kinds and ("ndjson", "csv", "sarif")) or ("",):
                answer = self.api.as_("administrator").get(path, **query, **({"format": form} if form else {}))
                assert answer.status in (200, 404, 422), answer.body
                self.hunt.hear(f"GET {path} {form}", answer.body.decode())
        for path in ("/api/v1/openapi.json", "/api/v1/docs", "/api/nowhere"):
            self.hunt.hear(path, self.api.ask("GET", path, {}).body.decode())
        self.ask("GET", "/products", status=422, password=PASSWORD)
        for words in ("connection list", "connection show Burp", "operation list", "user list", "token list",
                      "audit list", "secrets status"):  # fmt: skip
            self.run(*words.split())
        self.run("doctor", codes=(0, 1, 3))
        for words in (("export",), ("audit", "export"), ("mapping", "export")):
            ran = self.tidegate(*words)
            assert ran.code == 0, ran.err
            self.hunt.hear(" ".join(words), ran.out)

    def back_up(self, tmp_path: Path) -> None:
        (tmp_path / "passphrase").write_text(PASSPHRASE)
        (tmp_path / "wrong").write_text(ANOTHER)
        self.run("backup", str(tmp_path / "plain.backup"), codes=(0, 1))  # the second time it is there
        locked = str(tmp_path / "locked.backup")
        self.run("backup", locked, "--with-key", "--passphrase-file", str(tmp_path / "passphrase"), codes=(0, 1))
        self.run("backup", "--check", locked, "--passphrase-file", str(tmp_path / "wrong"), codes=(1, 2))
        dump = b"".join(piece[1:] for piece in pieces_of(tmp_path / "plain.backup", None) if piece[:1] == b"D")
        (tmp_path / "dump").write_bytes(dump)
        clear = subprocess.run(
            [client_program("pg_restore"), "--file=-", tmp_path / "dump"], check=True, capture_output=True
        ).stdout.decode()
        assert "Storefront" in clear
        self.hunt.hear("the backup, as pg_restore tells it", clear)
        for name in ("plain.backup", "locked.backup"):
            self.hunt.hear(name, (tmp_path / name).read_bytes().decode("latin-1"))


class Watch:
    """What /proc shows of all processes while something runs: the command line of each, and the environment of those
    that a command of ours began, children and theirs. In its own stands what was put there."""

    def __init__(self) -> None:
        self.begun, self.descend = set[int](), set[int]()
        self.lines, self.environments = set[str](), dict[str, str]()
        self._over = threading.Event()

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.005):
            for process in all_processes():
                line = words_of(process).replace(b"\0", b" ").decode(errors="replace")
                self.lines.add(line)
                # Between fork and exec a child still looks, and is, as the command itself.
                if line and "import tidegate.cli" not in line and parent_of(process) in self.begun | self.descend:
                    self.descend.add(process)
                    self.environments[line] = words_of(process, "environ").decode(errors="replace")


def parent_of(process: int) -> int:
    """Of which process it is the child; 0 where it ended meanwhile."""
    found = re.search(rb"^PPid:\s*(\d+)", words_of(process, "status"), re.MULTILINE)
    return int(found[1]) if found else 0


def processes(hunt: Hunt, tmp_path: Path, connection: int) -> None:
    """Real ones: each command that begins others, or opens a secret."""
    command = [sys.executable, "-c", "import tidegate.cli; tidegate.cli.main()"]
    with Watch() as watch:
        for words in (
            ["backup", str(tmp_path / "third.backup"), "--passphrase-file", str(tmp_path / "passphrase")],
            ["notify", "test", "Hook"],
            ["connection", "test", str(connection)],
        ):
            pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            with subprocess.Popen([*command, *words], **pipes) as ours:
                watch.begun.add(ours.pid)
                hunt.hear(f"a process: {words[0]}", "".join(ours.communicate()))
    hunt.hear("command lines", "\n".join(watch.lines))
    for line, text in watch.environments.items():
        if line.startswith("file -b "):
            continue  # platform.architecture() of the standard library begins it, with the environment of whoever asked
        hunt.hear(f"environment of {line[:100]}", text)
    assert [line for line in watch.lines if "tidegate.cli" in line], "no process of ours was seen"
    assert [line for line in watch.environments if "pg_dump" in line], "nor one that it began"


@pytest.mark.timeout(600)  # a whole story, and processes of their own
def test_no_secret_is_said_anywhere(
    api: Api, tidegate: Person, burp: FakeBurp, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    caplog.set_level("DEBUG")
    hunt = Hunt({
        "the token of a Connection": burp.api_key, "a password": PASSWORD, "a wrong password": ANOTHER,
        "a second factor": TOTP_SECRET, "the secret of single sign-on": CLIENT_SECRET, "a passphrase": PASSPHRASE,
        "the path of a hook": HOOK_WORD, "its query": HOOK_QUERY, "its password": HOOK_USER,
    })  # fmt: skip
    story = Story(api, tidegate, hunt)
    api.as_("administrator")
    hunt.canaries["a token"] = api.tokens["administrator"]

    connection = story.connect(burp)
    story.flow(connection, burp)
    story.notify(connection)
    story.people()
    story.look(connection)
    story.back_up(tmp_path)
    processes(hunt, tmp_path, connection)

    hunt.hear("the database", stored())
    hunt.hear("the log", "".join(capfd.readouterr()) + caplog.text)
    assert hunt.found() == []
    assert len(hunt.canaries) >= 13
    assert len(hunt.said) > 120
