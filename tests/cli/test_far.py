"""The command line against a Tidegate elsewhere: the same commands, the same words, the same exit codes."""

from __future__ import annotations

import re
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.cli.far import patient, problem, said, scripted, service, serving, token_of, worker
from tests.database import empty_all_tables
from tidegate.api.table import table
from tidegate.cli import COMMANDS, far, wire
from tidegate.cli.root import HERE_ALONE
from tidegate.config import load_remote_settings
from tidegate.demo.fake_burp import FakeBurp

CLI = Path(far.__file__).parent
TOKEN = "tg_this-is-nobodys-token"
SERVICE = said(200, '{"scheduler": true, "workers": 1, "version": "99.0"}')


# What is known of the routes


def test_what_the_command_line_knows_of_the_routes_is_what_the_routes_are():
    """Issue 6.2. When it fails: ./dev docs"""
    assert (CLI / "routes.json").read_text() == table()


def test_every_command_that_has_a_route_can_be_asked_elsewhere():
    """Parity: a command that calls something without a route is seen here, not by who needs it."""
    names = {
        ".".join(found.groups())
        for path in CLI.glob("*.py")
        for found in re.finditer(r"\b(actions|reads)\.([a-z_]+)\.([A-Za-z_]+)", path.read_text())
    }
    known = {*far.COMPOSED, *far.table()["operations"], *far.table()["shapes"]}

    assert len(names) > 100
    assert sorted(names - known) == []


def test_what_is_imported_past_the_house_works_on_this_machine_alone():
    """Else it would open a database here while TIDEGATE_URL names another Tidegate."""
    modules = {COMMANDS[name][0].partition(":")[0] for name in HERE_ALONE}
    past = {
        path.stem
        for path in CLI.glob("*.py")
        if re.search(r"^ +from tidegate\.(actions|reads|server|demo)\b", _without_types(path.read_text()), re.MULTILINE)
    }

    assert past - modules <= {"answer", "house", "start"}


def _without_types(source: str) -> str:
    """Without what type checkers alone import."""
    return re.sub(r"^if TYPE_CHECKING:\n(?:    .*\n|\n)+", "", source, flags=re.MULTILINE)


# The same here and there

MASKS = (
    (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "STEP"),
    (r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC)?", "TIME"),
    (r"\d\d:\d\d:\d\d", "TIME"),
    (r"tg_[\w-]+", "TOKEN"),
    (r'"(?:seconds|rate|queue|vendor|database|work|ms)": [\d.]+', "SPENT"),
    (r"\d+\.\d s", "SECONDS"),
    (r"SECONDS (?:in|waiting|working)[^.]*", "SPENT"),
    (r"\d+ (?:s|min) ago", "AGO"),
    (r'"trigger": "(?:api|manual)"', "TRIGGER"),
)

ADD = ("connection", "add", "burpsuite", "--set", "url={burp}", "--secret")
STORY: tuple[tuple[str, ...], ...] = (
    ("tool", "show", "burpsuite", "--json"),
    ("connection", "list"),
    (*ADD, "api_key=env:BURP_KEY", "--label", "Burp"),
    (*ADD, "api_key=env:WRONG_KEY", "--label", "Other"),
    (*ADD, "api_key=env:BURP_KEY", "--label", "Burp", "--preview"),
    ("connection", "drop", "2"),
    ("connection", "drop", "2"),
    ("record", "map", "Storefront", "Storefront API", "--new", "Web shop"),
    ("record", "map", "Storefront", "--new", "Web shop"),
    ("record", "ignore", "Legacy Intranet", "--because", "old", "--json"),
    ("record", "restore", "--all", "--state", "ignored", "--preview"),
    ("record", "restore", "--all", "--state", "ignored", "--expected", "7"),
    ("sync", "Burp"),
    ("product", "sync", "Web shop"),
    ("operation", "watch", "1"),
    ("operation", "show", "999"),
    ("operation", "list", "--json"),
    ("operation", "log", "3", "--json"),
    ("finding", "list", "--severity", "high", "--since", "2020-01-01", "--limit", "3"),
    ("finding", "list", "--after", "rubbish"),
    ("finding", "decide", "1", "--verdict", "false positive", "--note", "no"),
    ("finding", "decide", "2", "--severity", "low", "--until", "2020-01-01"),
    ("finding", "show", "1", "--json"),
    ("finding", "export", "--form", "csv", "--severity", "high"),
    ("rule", "add", "Burp", "--name", "Store*", "--product", "Web shop"),
    ("rule", "edit", "Burp", "1", "--name", "Shop*"),
    ("rule", "try", "Burp", "--name", "*", "--template", "{{name}}", "--at", "1"),
    ("rule", "add", "Burp", "--name", "(", "--regex", "--ignore"),
    ("schedule", "set", "Burp", "--every", "6", "--json"),
    ("connection", "edit", "Burp", "--minimum-severity", "medium", "--preview"),
    ("connection", "pause", "Burp", "--because", "holiday"),
    ("sync", "Burp"),
    ("mapping", "export"),
    ("mapping", "export", "Burp", "--json"),
    ("mapping", "import", "{mappings}"),
    ("mapping", "import", "{latin}"),
    ("notify", "add", "ops", "--address", "env:NEWS", "--no-test"),
    ("user", "add", "bob", "--role", "reader", "--product", "Web shop", "--no-password"),
    ("user", "logout", "bob", "--tokens"),
    ("token", "add", "nightly", "--role", "reader", "--user", "alice"),
    ("plan", "{yaml}"),
    ("apply", "{yaml}", "--yes"),
    ("connection", "delete", "Burp", "--confirm", "wrong"),
    ("connection", "delete", "Burp", "--confirm", "Burp"),
    ("record", "list", "--json"),
)


def test_every_command_says_the_same_word_for_word(
    tidegate: Any, burp: FakeBurp, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Issue 6.2: the same story in two empty houses, once on the machine itself and once from elsewhere."""
    monkeypatch.setenv("WRONG_KEY", "wrong")
    monkeypatch.setenv("NEWS", "ntfy://127.0.0.1:9/x")
    files = {
        "mappings": "connection,vendor_id,decision,product\nBurp,2,mapped,Caf\u00e9\u2028x\nBurp,none,new,\n".encode(),
        "latin": b"connection,vendor_id\nB\xfcrp,1\n",
        "yaml": b"version: 1\nproduct_types:\n  - name: Made\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    named = {name: str(tmp_path / name) for name in files} | {"burp": burp.url}

    def told(*, elsewhere: bool) -> list[str]:
        empty_all_tables()
        with service(settings) as url, worker(), monkeypatch.context() as environment:
            patient(environment)
            token = token_of("administrator")
            if elsewhere:
                environment.setenv("TIDEGATE_URL", url)
                environment.setenv("TIDEGATE_TOKEN", token)
            return [masked(tidegate(*(word.format(**named) for word in command))) for command in STORY]

    here, there = told(elsewhere=False), told(elsewhere=True)

    for command, one, other in zip(STORY, here, there, strict=True):
        assert other == one, command
        assert "was not made for" not in one, command


def masked(ran: Any) -> str:
    """All that was said, without what another day would change."""
    text = f"{ran.code}\n{ran.out}\n{ran.err}"
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text


# One Tidegate elsewhere


@pytest.fixture
def elsewhere(tidegate: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """A service without a worker; `elsewhere("reader", …)` runs a command as somebody."""
    tokens: dict[str, str] = {}
    with service(settings) as url:
        patient(monkeypatch)

        def ask(role: str, *arguments: object, **how: Any) -> Any:
            if role not in tokens:
                tokens[role] = token_of(role, name=role)
            with monkeypatch.context() as environment:
                environment.setenv("TIDEGATE_URL", url)
                environment.setenv("TIDEGATE_TOKEN", tokens[role])
                return tidegate(*arguments, **how)

        yield ask


def test_who_may_not_is_told_so(elsewhere: Any, shop: Any):
    ran = elsewhere("reader", "connection", "pause", "Burp")

    assert ran.code == 1
    assert ran.err.startswith("Reader may not pause connection: it takes the role operator there.")
    assert "Next: " in ran.err
    assert elsewhere("reader", "connection", "pause", "Burp", "--json").error["what"] in ran.err
    assert shop.json("connection", "show", "Burp")["connection"]["state"] != "paused"


def test_where_no_worker_lives_nobody_waits_for_one(elsewhere: Any, shop: Any):
    ran = elsewhere("operator", "sync", "Burp")

    assert ran.code == 3, ran.err
    assert "no worker lives there" in ran.err
    assert "tidegate operation watch 2" in ran.err


def test_a_file_of_mappings_larger_than_other_bodies_gets_there(elsewhere: Any, shop: Any, tmp_path: Path):
    file = tmp_path / "mappings.csv"
    lines = "\n".join(f"Burp,{number},ignored,{'x' * 100_000}" for number in range(15))
    file.write_text(f"connection,vendor_id,decision,reason\n{lines}\n")

    ran = elsewhere("mapper", "mapping", "import", file)

    assert ran.code == 1
    assert "0 decided, 0 unchanged, 15 wrong." in ran.out, ran.err


@pytest.mark.parametrize("command", sorted(HERE_ALONE))
def test_what_only_the_machine_can_do_is_refused(tidegate: Any, monkeypatch: pytest.MonkeyPatch, command: str):
    monkeypatch.setenv("TIDEGATE_URL", "https://tidegate.example.com")

    ran = tidegate(command, *(["status"] if command == "secrets" else []))

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "That works only on the machine where Tidegate runs, and TIDEGATE_URL names another.\n"
        "Next: Run it there, without TIDEGATE_URL.\n"
    )
    assert tidegate(command, "--help").code == 0


def test_django_is_not_started():
    """A command that asks elsewhere is quick: neither Django nor a database of its own."""
    look = "import sys; from tidegate.cli import run; print(run(['connection', 'list']), 'django' in sys.modules)"
    with scripted(said(200, '{"connections": [], "next": null}')) as script:
        environment = {"TIDEGATE_URL": script.url, "TIDEGATE_TOKEN": TOKEN, "PATH": "/usr/bin", "HOME": "/nowhere"}
        ran = subprocess.run([sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True)

    assert ran.stdout == "Nothing is connected yet. See what can be: tidegate tool list\n0 False\n", ran.stderr


# What can go wrong on the way


@pytest.fixture
def ask(tidegate: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a command against an address; nobody sleeps."""
    monkeypatch.setenv("TIDEGATE_TOKEN", TOKEN)
    monkeypatch.setattr(wire.time, "sleep", lambda _: None)

    def asked(url: str, *arguments: object) -> Any:
        monkeypatch.setenv("TIDEGATE_URL", url)
        ran = tidegate(*(arguments or ("connection", "list")))
        assert TOKEN not in ran.out + ran.err
        return ran

    return asked


def test_a_token_that_is_not_known(elsewhere: Any, tidegate: Any, settings: Any, monkeypatch: pytest.MonkeyPatch):
    with service(settings) as url:
        monkeypatch.setenv("TIDEGATE_URL", url)
        monkeypatch.setenv("TIDEGATE_TOKEN", TOKEN)

        ran = tidegate("connection", "list")

    assert ran.code == 1
    assert ran.err == (
        "The token is not known, or it has expired or was revoked.\n"
        "Next: Set TIDEGATE_TOKEN to a token of yours there; it is made with: tidegate token add\n"
    )


def test_nobody_is_there(ask: Any):
    with scripted(b"") as script:
        pass

    ran = ask(script.url)

    assert ran.code == 1
    assert ran.err.startswith(f"{script.url} cannot be reached.\nNext: Check TIDEGATE_URL")


def test_the_token_does_not_follow_a_redirect(ask: Any):
    """promises.md, Attack: a server that sends on gets no token sent on."""
    with (
        scripted(said(200, "{}")) as thief,
        scripted(said(307, "", Location=f"{thief.url}/api/v1/connections")) as script,
    ):
        ran = ask(script.url)

    assert ran.code == 1
    assert ran.err.startswith(f"{script.url} sends on to another address, and the token is not sent there.")
    assert (len(script.asked), thief.asked) == (1, [])


@pytest.mark.parametrize(
    "answer",
    [
        said(200, "<html>Welcome to nginx!</html>", "text/html"),
        said(502, "<html>Bad gateway</html>", "text/html"),
        said(404, "Not here", "text/plain"),
    ],
)
def test_what_answers_is_no_tidegate(ask: Any, answer: bytes):
    with scripted(answer) as script:
        ran = ask(script.url, "finding", "list")

    assert ran.code == 1
    assert "and not as an API does." in ran.err
    assert "Next: Check TIDEGATE_URL, and what stands between here and there." in ran.err


def test_who_asks_too_often_waits_as_long_as_is_said(ask: Any):
    slow = problem(429, "alice asks too often.", Retry_After="7")
    with scripted(slow, slow, said(200, '{"connections": [], "next": null}')) as script:
        ran = ask(script.url)

    assert (ran.code, len(script.asked)) == (0, 3)


def test_who_would_wait_too_long_is_told_instead(ask: Any):
    with scripted(problem(429, "alice asks too often.", Retry_After="3600")) as script:
        ran = ask(script.url)

    assert (ran.code, ran.err) == (1, "Alice asks too often.\nNext: Do it.\n")


def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_key(ask: Any, tmp_path: Path):
    """A change is never made twice because its answer did not arrive."""
    (tmp_path / "tidegate.yaml").write_text("version: 1\n")
    with scripted(b"", b"", said(200, '{"ok": true, "things": 0, "problems": []}')) as script:
        ran = ask(script.url, "validate", tmp_path / "tidegate.yaml")

    keys = [key for asked in script.asked for key in re.findall("idempotency-key: (.+)", asked.lower())]
    assert (ran.code, len(keys), len(set(keys))) == (0, 3, 1), ran.err


def test_what_could_be_done_twice_is_asked_once(ask: Any):
    with scripted(b"") as script:
        ran = ask(script.url, "token", "revoke", "3")

    assert (ran.code, len(script.asked)) == (1, 1)
    assert "It may have been done all the same: look before you try again." in ran.err


def test_an_answer_that_is_cut_off_says_so(ask: Any):
    whole = said(200, '{"connections": [], "next": null}')
    with scripted(whole[:-10]) as script:
        ran = ask(script.url)

    assert ran.code == 1
    assert ran.err.startswith(f"The answer of {script.url} was cut off.")


def test_an_export_that_is_cut_off_does_not_end_well(ask: Any):
    whole = said(200, '{"id": 1}\n{"id": 2}\n', "application/x-ndjson")
    with scripted(whole[:-5]) as script:
        ran = ask(script.url, "audit", "export")

    assert (ran.code, ran.out) == (1, '{"id": 1}\n')
    assert "was cut off" in ran.err


@pytest.mark.parametrize(
    "answer",
    [
        problem(422, "text: There is no such parameter. It takes none."),
        problem(404, "There is nothing at this address."),
        said(200, '{"rows": []}'),
    ],
)
def test_a_server_of_another_version_is_named(ask: Any, answer: bytes):
    with scripted(answer, SERVICE) as script:
        ran = ask(script.url)

    assert ran.code == 1
    assert f"{script.url} is Tidegate 99.0, this command is of Tidegate {wire.our_version()}," in ran.err
    assert "Next: Use the command of the version that runs there." in ran.err


def test_what_a_newer_server_says_beside_is_not_minded(ask: Any):
    with scripted(said(200, '{"connections": [], "next": null, "more": {"a": 1}}')) as script:
        ran = ask(script.url)

    assert ran.code == 0


# TLS


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """The address of a server with a certificate for this name."""
    with ExitStack() as stack:

        def started(name: str) -> str:
            certificate = tmp_path / "certificate.pem"
            authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(str(certificate))
            return stack.enter_context(serving(_connections, certificate))

        yield started


async def _connections(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"connections": [], "next": null}'})


def test_a_private_authority_is_trusted_where_it_is_named(
    ask: Any, secure: Any, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    url = secure("127.0.0.1")

    refused = ask(url)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("TIDEGATE_CA", str(tmp_path / "ca.pem"))
    trusted = ask(url)

    assert refused.code == 1
    assert refused.err.startswith(f"{url} cannot be trusted: unable to get local issuer certificate.")
    assert "name its certificates with TIDEGATE_CA" in refused.err
    assert (trusted.code, trusted.err) == (0, "")


def test_a_certificate_for_another_name_is_not_trusted(
    ask: Any, secure: Any, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("TIDEGATE_CA", str(tmp_path / "ca.pem"))

    ran = ask(secure("tidegate.example.com"))

    assert ran.code == 1
    assert "cannot be trusted: IP address mismatch" in ran.err


def test_a_file_without_certificates_is_said(ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "ca.pem").write_text("nothing")
    monkeypatch.setenv("TIDEGATE_CA", str(tmp_path / "ca.pem"))

    ran = ask("https://127.0.0.1:9")

    assert ran.code == 2
    assert "no certificates can be read from there" in ran.err


# Settings


def test_the_token_does_not_travel_in_the_clear(ask: Any, monkeypatch: pytest.MonkeyPatch):
    """promises.md, Attack: nobody on the way reads it. The machine itself is no way."""
    ran = ask("http://tidegate.example.com")

    assert ran.code == 2
    assert "over http:// anybody on the way could read the token" in ran.err
    monkeypatch.setenv("TIDEGATE_PLAIN_HTTP", "allow")
    with wire.Wire(load_remote_settings()) as one:
        assert one.shown == "http://tidegate.example.com"


@pytest.mark.parametrize("url", ["https://alice:hunter2@tidegate.example.com", "ftp://hunter2", "hunter2"])
def test_an_address_that_cannot_be_used_is_not_repeated(ask: Any, url: str):
    ran = ask(url)

    assert ran.code == 2
    assert "TIDEGATE_URL is not usable" in ran.err
    assert "hunter2" not in ran.err


@pytest.mark.parametrize(
    ("token", "sentence"), [("", "there is no token for it"), ("tg_a b", "not a token"), ("tg_\u00e4", "not a token")]
)
def test_without_a_token_nobody_is_asked(ask: Any, monkeypatch: pytest.MonkeyPatch, token: str, sentence: str):
    monkeypatch.setenv("TIDEGATE_TOKEN", token)
    with scripted(said(200, "{}")) as script:
        ran = ask(script.url)

    assert ran.code == 2
    assert sentence in ran.err
    assert script.asked == []


def test_the_token_stands_in_no_text_about_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_URL", "https://tidegate.example.com")
    monkeypatch.setenv("TIDEGATE_TOKEN", TOKEN)

    settings = load_remote_settings()
    with wire.Wire(settings) as one:
        texts = [repr(settings), str(settings), repr(one), repr(vars(one)), repr(one._client.headers)]

    assert not [text for text in texts if TOKEN in text]
    assert isinstance(wire._trust(settings), ssl.SSLContext)
