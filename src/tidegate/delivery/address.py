"""Which addresses news may go to: the services that are allowed, and what may stand in an address of each.

An allow-list, because apprise knows many more: some run programs, write to the desktop or the system's log, or read
files that the address names. This module is used by the process that sends; it does not know apprise itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Service:
    """A service that news may go to, and which parameters its addresses may have."""

    name: str
    schemas: tuple[str, ...]
    example: str
    parameters: frozenset[str] = frozenset()
    more: str = ""
    """Signs before a name that make it a header, a parameter or a field of the service's own."""
    shows: str = "masked"
    """What of the address is shown: apprise's masked form, or the host alone."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Never allowed: `template`, `pgppub`, `pgpprv` (files are read), `attach` (is fetched), `verify` but for yes.
SERVICES: Final = (
    Service("Mail", ("mailto", "mailtos"), "mailtos://user:password@example.org?to=team@example.org",
            _words("to from name cc bcc reply smtp mode user pass")),
    Service("Slack", ("slack",), "https://hooks.slack.com/services/T…/B…/…",
            _words("to token mode image footer timestamp blocks")),
    Service("Microsoft Teams", ("workflow", "workflows"), "the https address of a *Workflows* webhook",
            _words("id sig ver api-version image wrap pa powerautomate route routeid sp sv")),
    Service("Discord", ("discord",), "https://discord.com/api/webhooks/…/…",
            _words("tts avatar footer footer_logo image fields thread batch")),
    Service("Mattermost", ("mmost", "mmosts"), "mmosts://chat.example.org/token?channel=security",
            _words("to channel channels image botname mode team")),
    Service("Rocket.Chat", ("rocket", "rockets"), "rockets://token/token@chat.example.org/#security",
            _words("to webhook avatar mode")),
    Service("Google Chat", ("gchat",), "https://chat.googleapis.com/v1/spaces/…",
            _words("workspace key token thread")),
    Service("Webex", ("wxteams", "webex"), "https://api.ciscospark.com/v1/webhooks/incoming/…",
            _words("token to mode")),
    Service("Zulip", ("zulip",), "zulip://bot@organization/token/stream", _words("to token")),
    Service("Telegram", ("tgram",), "tgram://bot-token/chat-id",
            _words("to image detect silent preview topic thread mdv content")),
    Service("ntfy", ("ntfy", "ntfys"), "ntfys://ntfy.example.org/topic",
            _words("to priority mode image auth token xtags click"), shows="host"),
    Service("Gotify", ("gotify", "gotifys"), "gotifys://push.example.org/token", _words("priority")),
    Service("Pushover", ("pover",), "pover://user@token", _words("to priority sound retry expire key")),
    Service("Opsgenie", ("opsgenie",), "opsgenie://api-key",
            _words("to region priority tags alias entity action batch"), more=":+"),
    Service("PagerDuty", ("pagerduty",), "pagerduty://integration-key@api-key",
            _words("region severity class group image dedup action")),
    Service("Webhook (JSON)", ("json", "jsons"), "jsons://hooks.example.org/path",
            _words("method"), more="+-:", shows="host"),
    Service("Webhook (form)", ("form", "forms"), "forms://hooks.example.org/path",
            _words("method"), more="+-:", shows="host"),
)  # fmt: skip

# What apprise takes in every address and Tidegate decides itself; accepted, so that its own URLs can be pasted.
IGNORED: Final = _words("format overflow cto rto retry wait optional redirect emojis store tz")

BY_SCHEMA: Final = {schema: service for service in SERVICES for schema in service.schemas}


class Unusable(Exception):
    """The address cannot be used; the message is a sentence that repeats no value of it."""


def service_of(parsed: Mapping[str, Any] | None, given_schema: str) -> Service:
    """The service of an address as apprise parsed it. Raises Unusable where it is none, or not allowed."""
    if parsed is None:
        if given_schema and given_schema not in (*BY_SCHEMA, "http", "https"):
            raise Unusable(f"An address cannot begin with {given_schema}:// here. {_allowed()}")
        raise Unusable(f"That is no address that news could be sent to. {_allowed()}")
    service = BY_SCHEMA.get(str(parsed.get("schema", "")).lower())
    if service is None:
        raise Unusable(f"An address cannot begin with {given_schema}:// here. {_allowed()}")
    _check_parameters(service, parsed.get("qsd") or {})
    if not parsed.get("verify", True):
        raise Unusable("An address with verify=no is refused: certificates are always verified.")
    return service


LONGEST_HOOK: Final = 2_000
_LIKE = "It looks like: https://hooks.example.org/tidegate"


def hook_shown(address: str) -> tuple[str, str]:
    """How the URL of a webhook may be shown, and what its owner should know. Raises Unusable where it is none."""
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        raise Unusable(f"That is no URL. {_LIKE}") from None
    if url.scheme.lower() not in ("https", "http") or not url.hostname:
        raise Unusable(f"A webhook has an https URL with a host. {_LIKE}")
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        raise Unusable("The URL has letters that no URL has; write them as %20 and their like.")
    if len(address) > LONGEST_HOOK:
        raise Unusable(f"The URL is longer than {LONGEST_HOOK:,} letters.")
    if "@" in url.netloc:
        raise Unusable("The URL of a webhook holds no user or password: the signature says who we are.")
    if "#" in address or port == 0:
        raise Unusable(f"The URL of a webhook has no # and a port above 0. {_LIKE}")
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    bare = url.scheme.lower() == "http"
    warning = "What goes to it is not encrypted on its way; https:// would be." if bare else ""
    return f"{url.scheme.lower()}://{host}{f':{port}' if port else ''}/…", warning


def _check_parameters(service: Service, parameters: Collection[str]) -> None:
    for name in sorted(parameters):
        word = name.lower().strip()
        if word in service.parameters or word in IGNORED or word == "verify":
            continue
        if word[:1] not in ("", *service.more):
            raise Unusable(
                f"The parameter {word[:40]} is not allowed in an address of {service.name};"
                f" it takes: {', '.join(sorted(service.parameters)) or 'none'}."
            )


def _allowed() -> str:
    return f"Use one of: {', '.join(f'{service.name} ({service.schemas[-1]}://)' for service in SERVICES)}."
