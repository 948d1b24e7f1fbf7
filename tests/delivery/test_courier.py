"""Messages really arrive, by mail and by HTTP; what may not be sent to is not; and nothing secret comes back."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import trustme
from pydantic import SecretStr

from tests.delivery.mailbox import Mailbox
from tests.delivery.webhook import Webhook
from tidegate.delivery.address import SERVICES
from tidegate.delivery.courier import AddressRefused, Courier
from tidegate.rules.news import Words

WORDS = Words("Burp needs you: its login is rejected", "The login was rejected.\nNext: tidegate connection show 1")
TOKEN = "T0pS3cretT0ken"


def send(courier: Courier, address: str, words: Words = WORDS):
    return courier.send(SecretStr(address), words)


# They arrive


def test_a_webhook_gets_title_and_text_as_json(courier: Courier, webhook: Webhook):
    outcome = send(courier, f"json://ann:{TOKEN}@{webhook.host}/hook/7?+X-Team=red")

    assert (outcome.ok, outcome.why) == (True, "")
    (request,) = webhook.taken
    assert request.path == "/hook/7"
    assert request.headers["X-Team"] == "red"
    assert request.headers["Authorization"].startswith("Basic ")
    assert (request.json["title"], request.json["message"]) == WORDS


def test_a_form_gets_the_same(courier: Courier, webhook: Webhook):
    assert send(courier, f"form://{webhook.host}/hook").ok

    fields = parse_qs(webhook.taken[0].body.decode())
    assert (fields["title"], fields["message"]) == ([WORDS.title], [WORDS.body])


def test_ntfy_gets_its_topic_and_the_text(courier: Courier, webhook: Webhook):
    assert send(courier, f"ntfy://{webhook.host}/security").ok

    assert webhook.taken[0].json["topic"] == "security"
    assert webhook.taken[0].json["message"] == WORDS.body


def test_a_chat_of_ones_own_gets_it(courier: Courier, webhook: Webhook):
    assert send(courier, f"mmost://{webhook.host}/3ccdd113474722377935511fc85d3dd4").ok

    assert webhook.taken[0].path == "/hooks/3ccdd113474722377935511fc85d3dd4"
    assert WORDS.title in webhook.taken[0].json["text"]


def test_a_mail_arrives_as_plain_text_from_whom_and_to_whom_it_says(courier: Courier, mailbox: Mailbox):
    mailbox.password = TOKEN

    outcome = send(
        courier,
        f"mailto://{mailbox.host}?user=ann&pass={TOKEN}&from=tide@example.org&to=bob@example.org,eve@example.org",
    )

    assert (outcome.ok, outcome.why) == (True, "")
    assert mailbox.logins == [TOKEN]
    assert sorted(to for mail in mailbox.mails for to in mail.to) == ["bob@example.org", "eve@example.org"]
    mail = mailbox.mails[0]
    assert (mail.sender, mail.parsed["Subject"]) == ("tide@example.org", WORDS.title)
    assert mail.parsed.get_content_type() == "text/plain"
    assert mail.text.splitlines()[:2] == WORDS.body.splitlines()


def test_a_long_text_is_sent_in_pieces_and_whole(courier: Courier, webhook: Webhook):
    body = "\n".join(f"line {number} of the news" for number in range(300))

    assert send(courier, f"mmost://{webhook.host}/3ccdd113474722377935511fc85d3dd4", Words("Long", body)).ok

    assert len(webhook.taken) > 1
    assert "line 299" in webhook.taken[-1].json["text"]


def test_vendor_text_is_no_markup_where_a_service_reads_markdown(courier: Courier, webhook: Webhook):
    token = "b5da7a5c2ab2bd4e1c5a0f0b/3ccdd113474722377935511fc85d3dd43ccdd113474722377935511fc85d3dd4"

    assert send(courier, f"rocket://{token}@{webhook.host}/#x", Words("t", "*x* [y](http://e.example)")).ok

    assert r"\*x\*" in webhook.taken[0].json["text"]


# They do not arrive


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_a_place_that_does_not_take_it_is_a_sentence(courier: Courier, webhook: Webhook, status: int):
    webhook.answer = lambda request: status

    outcome = send(courier, f"json://{webhook.host}/{TOKEN}")

    assert not outcome.ok
    assert str(status) in outcome.why
    assert TOKEN not in outcome.why
    assert len(webhook.taken) == 1  # tried again by the deliverer, in its own time


def test_a_redirect_is_not_followed(courier: Courier, webhook: Webhook):
    """News carry a credential in their address: it is for the host that stands there."""
    webhook.answer, webhook.location = (lambda request: 307), f"http://{webhook.host}/elsewhere"

    outcome = send(courier, f"json://{webhook.host}/here?redirect=yes")

    assert not outcome.ok
    assert [request.path for request in webhook.taken] == ["/here"]


def test_a_rejected_password_is_said_without_it(courier: Courier, mailbox: Mailbox):
    mailbox.password = "another"

    outcome = send(courier, f"mailto://{mailbox.host}?user=ann&pass={TOKEN}&from=a@example.org&to=b@example.org")

    assert (outcome.ok, outcome.why) == (False, "It rejects user or password.")


def test_a_send_that_hangs_is_ended_and_the_next_goes_out(courier: Courier, webhook: Webhook):
    gate = threading.Event()
    webhook.answer = lambda request: 200 if gate.wait(110) else 500
    begun = time.monotonic()

    outcome = courier.send(SecretStr(f"json://{webhook.host}/"), WORDS, seconds=2)

    assert not outcome.ok
    assert outcome.why == "It took longer than 2 seconds, so the send was ended."
    assert time.monotonic() - begun < 60
    gate.set()
    assert send(courier, f"json://{webhook.host}/").ok


def test_whoever_stops_waits_for_a_message_on_its_way_but_not_for_ever(webhook: Webhook):
    gate, stop = threading.Event(), threading.Event()
    webhook.answer = lambda request: stop.set() or (200 if gate.wait(110) else 500)
    with Courier("allow", stop=stop) as courier:
        begun = time.monotonic()

        outcome = courier.send(SecretStr(f"json://{webhook.host}/"), WORDS)

        assert not outcome.ok
        assert 4 < time.monotonic() - begun < 60
        gate.set()


def test_a_child_that_dies_is_replaced(courier: Courier, webhook: Webhook):
    assert send(courier, f"json://{webhook.host}/").ok
    assert courier._child is not None
    courier._child.kill()
    courier._child.wait()

    assert send(courier, f"json://{webhook.host}/").ok


# What may not be


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "2852039166", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:a9fe:a9fe]", "metadata.google.internal",
     "0.0.0.0", "100.100.100.200"],
)  # fmt: skip
def test_what_no_tool_may_be_asked_no_news_go_to(courier: Courier, host: str):
    """Outgoing requests: link-local and cloud-metadata addresses are refused, in every spelling."""
    outcome = send(courier, f"json://{host}/latest/")

    assert not outcome.ok
    assert outcome.why.endswith("News are not sent there."), outcome.why


@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.google.internal"])
def test_no_mail_goes_there_either(courier: Courier, host: str):
    outcome = send(courier, f"mailto://example.org?smtp={host}&from=a@example.org&to=b@example.org")

    assert not outcome.ok
    assert outcome.why.endswith("News are not sent there."), outcome.why


def test_private_networks_are_refused_where_tools_may_not_live_there(webhook: Webhook):
    with Courier("refuse") as courier:
        outcome = send(courier, f"json://{webhook.host}/")

    assert outcome.why == "127.0.0.1 is a private address. News are not sent there."
    assert webhook.taken == []


def test_news_take_the_proxy_of_the_service_and_no_other(webhook: Webhook, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Courier("refuse", SecretStr(f"http://user:hunter2@{webhook.host}")) as courier:
        assert send(courier, "json://hooks.invalid/path").ok
        refused = [send(courier, f"json://{host}/") for host in ("169.254.169.254", "2852039166", "10.0.0.1")]

    assert [request.path for request in webhook.taken] == ["http://hooks.invalid/path"]
    assert "Proxy-Authorization" in webhook.taken[0].headers
    assert not any(outcome.ok for outcome in refused)
    assert all(outcome.why.endswith("News are not sent there.") for outcome in refused), refused


def test_a_proxy_of_news_that_asks_for_a_login_is_told_without_its_password(webhook: Webhook):
    webhook.answer = lambda request: 407
    with Courier("allow", SecretStr(f"http://user:hunter2@{webhook.host}")) as courier:
        outcome = send(courier, "json://hooks.invalid/path")

    assert not outcome.ok
    assert "407" in outcome.why
    assert "hunter2" not in outcome.why


@pytest.mark.parametrize(
    "address",
    ["syslog://", "dbus://", "gnome://", "macosx://", "windows://", "glib://", "file:///etc/passwd", "exec://id",
     "rsyslog://127.0.0.1", "growl://127.0.0.1", "apprise://127.0.0.1/token", "smtp://x", "json", "", "://", "http://x",
     "https://example.org/hook", "mqtt://127.0.0.1/x", "signal://127.0.0.1/+15551234567"],
)  # fmt: skip
def test_only_services_of_the_list_are_sent_to(courier: Courier, address: str):
    with pytest.raises(AddressRefused, match=r"Use one of: Mail \(mailtos://\), Slack"):
        courier.describe(SecretStr(address))


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?template=/etc/passwd", "template"),
        ("workflows://h.example.org/6abc/Kabc?template=/etc/passwd", "template"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?template=/etc/passwd", "template"),
        ("mailtos://u:p@example.org?pgp=yes&pgpprv=/etc/passwd", "pgp"),
        ("ntfys://ntfy.example.org/t?attach=file:///etc/passwd", "attach"),
        ("forms://h.example.org?attach-as=x", "attach-as"),
        ("mailtos://u:p@example.org?+X-Header=1", "+x-header"),
    ],
)
def test_a_parameter_that_reads_files_is_refused(courier: Courier, address: str, word: str):
    with pytest.raises(AddressRefused, match="is not allowed in an address of") as refused:
        courier.describe(SecretStr(address))

    assert f"parameter {word} " in str(refused.value)


def test_certificates_are_verified_and_that_cannot_be_switched_off(courier: Courier):
    for address in ("jsons://127.0.0.1/?verify=no", "mailtos://u:p@example.org?verify=false"):
        with pytest.raises(AddressRefused, match="certificates are always verified"):
            courier.describe(SecretStr(address))


def test_a_certificate_that_nobody_vouches_for_is_refused(courier: Courier, webhook: Webhook):
    webhook.speak_tls(trustme.CA())

    outcome = send(courier, f"jsons://{webhook.host}/")

    assert (outcome.ok, outcome.why) == (False, "Its certificate is not trusted.")
    assert webhook.taken == []


def test_an_authority_that_the_operator_trusts_is_trusted(
    webhook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    authority = trustme.CA()
    webhook.speak_tls(authority)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)

    with Courier("allow") as courier:
        assert send(courier, f"jsons://{webhook.host}/").ok


def test_nothing_of_the_environment_or_the_home_reaches_the_sender(
    webhook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """No proxy, no .netrc, no plugins: who can write into a home or an environment must not get the news."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password stolen")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("APPRISE_URLS", f"json://{webhook.host}/stolen")
    monkeypatch.setenv("PYTHONSTARTUP", "/nonexistent")

    with Courier("allow") as courier:
        assert send(courier, f"json://{webhook.host}/mine").ok

    assert [request.path for request in webhook.taken] == ["/mine"]
    assert "Authorization" not in webhook.taken[0].headers


# What is shown

SHOWN = {
    "mailtos://ann:T0pS3cretT0ken@mail.example.org?to=bob@example.org":
        "mailtos://mail.example.org:587 to bob@example.org",
    "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/T0pS3cretT0kenXXXXXXXXXX": "slack://T...2/A...D/T...X",
    "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/#general": "slack://x...d/#general",
    "workflows://prod-12.example.org:443/643e69f83c8944438d68119179a10a64/T0pS3cretT0ken":
        "workflow://prod-12.example.org:443/6...4/T...n",
    "https://discord.com/api/webhooks/4174216298/T0pS3cretT0kenXXXX": "discord://4...8/T...X",
    "tgram://123456789:T0pS3cretT0ken_hijk/12315544/": "tgram://1...k/12315544",
    "ntfys://T0pS3cretT0ken": "ntfys://ntfy.sh/…",
    "ntfys://tk_T0pS3cretT0ken@ntfy.example.org/T0pS3cretT0ken": "ntfys://ntfy.example.org/…",
    "jsons://ann:T0pS3cretT0ken@hooks.example.org:8443/T0pS3cretT0ken?+X-Key=T0pS3cretT0ken&-k=T0pS3cretT0ken":
        "jsons://hooks.example.org:8443/…",
    "forms://hooks.example.org/T0pS3cretT0ken?:k=T0pS3cretT0ken": "forms://hooks.example.org/…",
    "mmosts://mm.example.org/3ccdd113474722377935511fc85d3dd4": "mmosts://mm.example.org/3...4",
    "rockets://ann:T0pS3cretT0ken@rc.example.org/#alerts": "rockets://ann:****@rc.example.org/#alerts",
    "gotifys://push.example.org/T0pS3cretT0ken": "gotifys://push.example.org/T...n",
    "pover://uSERKEY1234567890abcdefghij12@T0pS3cretT0kenabcdefghij123": "pover://u...2@T...3",
    "gchat://AAAAworkspace/T0pS3cretT0ken/T0pS3cretT0ken": "gchat://A...e/T...n/T...n",
    "webex://" + "T0pS3cretT0ken" * 6: "wxteams://T...n",
    "zulip://botname@org/abcdefghijklmnopqrstuvwxyz123456/alerts": "zulip://botname@org/a...6/alerts",
    "opsgenie://abcdefgh-1234-5678-abcd-abcdefabcdef": "opsgenie://a...f",
    "pagerduty://T0pS3cretT0kenXXXXXXXXXXXXXXXXXX@T0pS3cretT0kenXX": "pagerduty://****@****",
}  # fmt: skip


@pytest.mark.parametrize("address", list(SHOWN))
def test_what_is_shown_of_an_address_holds_nothing_secret(courier: Courier, address: str):
    """No secret appears in a list: of each allowed service the masked form was looked at."""
    shown = courier.describe(SecretStr(address)).shown

    assert shown.startswith(SHOWN[address]) if "pagerduty" in address else shown == SHOWN[address]
    for secret in (TOKEN, "4ddbc191d40ee098cbaae6f3523ada2d", "3ccdd113474722377935511fc85d3dd4", "A1BRTD4JD"):
        assert secret not in shown


def test_each_service_of_the_list_was_looked_at(courier: Courier):
    seen = {courier.describe(SecretStr(address)).service for address in SHOWN}

    assert seen == {service.name for service in SERVICES}


def test_what_travels_in_the_clear_is_a_warning(courier: Courier):
    assert "not encrypted" in courier.describe(SecretStr("json://hooks.example.org/")).warning
    assert "mailtos:// would be" in courier.describe(SecretStr("mailto://u:p@mail.example.org")).warning
    assert courier.describe(SecretStr("jsons://hooks.example.org/")).warning == ""
    assert courier.describe(SecretStr("mailtos://u:p@mail.example.org")).warning == ""


def test_no_address_stands_in_the_process_list(courier: Courier, webhook: Webhook):
    """No secret appears in a process list: others on the machine read it."""
    lists: list[bytes] = []

    def look(request: object) -> int:
        lists.append(subprocess.run(["ps", "axeww"], capture_output=True, check=True).stdout)
        return 200

    webhook.answer = look

    assert send(courier, f"json://{webhook.host}/{TOKEN}").ok

    assert b"tidegate.delivery.errand" in lists[0]
    assert TOKEN.encode() not in lists[0]


def test_the_sender_ends_with_whoever_began_it(courier: Courier, webhook: Webhook):
    assert send(courier, f"json://{webhook.host}/").ok
    child = courier._child
    assert child is not None

    courier.rest()

    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
