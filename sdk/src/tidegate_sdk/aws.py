"""Requests to AWS, and to what speaks like it: signed by botocore, sent by the Session. Roles are assumed on the way.

botocore is imported when the first request is signed: it costs a quarter of a second and 24 MB.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec
from pydantic import SecretStr

from .ask import Ask, Row, Talk
from .auth import Grant, Outgoing, reveal
from .body import xml_texts
from .errors import AccessDenied, AuthRejected, Busy, ConnectorError, VendorChanged
from .tool import Http

_LONGEST = 2**16
_botocore = logging.getLogger("botocore.auth")
_BUSY = re.compile(r"(?i)rate exceeded|throttl|too many requests")
_CLOCK = re.compile(
    r"(?i)signature (?:expired|not yet current)|RequestTimeTooSkewed|difference between the request time"
)
_EXPIRED = re.compile(r"(?i)token (?:included in the request )?(?:is|has) expired|ExpiredToken")
_KEY = re.compile(
    r"(?i)security token included in the request is invalid|signature we calculated does not match"
    r"|InvalidClientTokenId|InvalidAccessKeyId|Access Key Id.* does not exist|SignatureDoesNotMatch|IncompleteSignature"
)


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key; with a session token it is a temporary one."""

    access: str
    secret: SecretStr
    token: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class SigV4:
    """Signs with Signature Version 4 for one service in one region: `SigV4(keys, "securityhub", "eu-west-1")`."""

    keys: Keys
    service: str
    region: str

    def sign(self, request: Outgoing) -> Mapping[str, str]:
        """The headers that carry the signature, the time in it being now."""
        from botocore import auth, awsrequest  # pyright: ignore[reportMissingTypeStubs]

        # It tells what it signs, and that holds the session token.
        if _botocore.level != logging.WARNING:  # to set a level empties what every logger has cached
            _botocore.setLevel(logging.WARNING)
        kind: Any = auth.S3SigV4Auth if self.service == "s3" else auth.SigV4Auth
        url, _, query = request.url.partition("?")
        signed: Any = awsrequest.AWSRequest(
            request.method,
            url,
            {name: value for name, value in request.headers.items() if name.lower() == "content-type"},
            request.content,
            parse_qsl(query, keep_blank_values=True),
        )
        kind(_Opened.of(self.keys), self.service, self.region).add_auth(signed)
        return {str(name): str(value) for name, value in signed.headers.items() if name.lower() != "content-type"}


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """A Login: the keys are let into a role by STS, and what it gives signs the requests, until it ends.

    `sts` is the door to STS, whose requests the keys sign themselves; `keys` of the role are for `service` in `region`.
    """

    sts: Http
    role: str
    service: str
    region: str
    external_id: SecretStr | None = None

    def door(self) -> Http:
        return self.sts

    def talk(self) -> Talk[Grant]:
        """AssumeRole, for an hour, which every role allows."""
        fields: dict[str, str | SecretStr] = {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": self.role,
            "RoleSessionName": "tidegate",
        }
        if self.external_id is not None:
            fields["ExternalId"] = self.external_id
        try:
            page = yield Ask(method="POST", form=fields, reader=_credentials, safe=True)
        except AccessDenied as error:
            raise AccessDenied(
                f"{self.role} cannot be assumed. {error.what}",
                "Check the role's name, that its trust policy names the user of the access key, and the external id.",
            ) from None
        given = page.rows[0] if page.rows else Row()
        secret, token = given["SecretAccessKey"], given["SessionToken"]
        keys = Keys(given["AccessKeyId"], SecretStr(secret), SecretStr(token))
        return Grant(SigV4(keys, self.service, self.region), _time(given["Expiration"]), (secret, token))


@dataclass(frozen=True, slots=True)
class _Opened:
    """What botocore signs with; it lives as long as one signature."""

    access_key: str
    secret_key: str
    token: str | None

    @classmethod
    def of(cls, keys: Keys) -> _Opened:
        return cls(keys.access, reveal(keys.secret), reveal(keys.token) if keys.token else None)


@lru_cache(maxsize=200)
def partition_of(region: str) -> tuple[str, str]:
    """The partition that a region lies in, and the end of its host names."""
    for start, found in _PARTITIONS.items():
        if region.startswith(start):
            return found
    return "aws", "amazonaws.com"


_PARTITIONS = {
    "cn-": ("aws-cn", "amazonaws.com.cn"),
    "us-gov-": ("aws-us-gov", "amazonaws.com"),
    "us-iso-": ("aws-iso", "c2s.ic.gov"),
    "us-isob-": ("aws-iso-b", "sc2s.sgov.gov"),
    "us-isof-": ("aws-iso-f", "csp.hci.ic.gov"),
    "eu-isoe-": ("aws-iso-e", "cloud.adc-e.uk"),
    "eusc-": ("aws-eusc", "amazonaws.eu"),
}


def host_of(service: str, region: str) -> str:
    """The usual host of a service in a region."""
    return f"{service}.{region}.{partition_of(region)[1]}"


def region_of(host: str) -> str:
    """The region that a host of AWS names; "" where it names none, as a host of one's own does."""
    return next((word for word in host.lower().split(".") if _is_region(word)), "")


def _is_region(word: str) -> bool:
    parts = word.split("-")
    return len(parts) in (3, 4) and parts[-1].isdigit() and all(part.isalpha() for part in parts[:-1])


def is_of_aws(url: str) -> bool:
    """Whether the host is one of Amazon's own."""
    host = (urlsplit(url).hostname or "").lower()
    ends = {"amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn"}
    return any(host.endswith(f".{end}") for end in (*ends, *(end for _, end in _PARTITIONS.values())))


def refusal_of(body: Any) -> ConnectorError | None:
    """What AWS means by a body with a message, for Tool.refusal; None for any other. Its status says less."""
    fields: Mapping[str, Any] = cast("Mapping[str, Any]", body) if isinstance(body, Mapping) else {}
    told = fields.get("message") or fields.get("Message")
    if not isinstance(told, str):
        return None
    said = " ".join(f"{fields.get('Code') or ''} {told}".split())[:2_000]
    quoted = f'AWS says: "{" ".join(told.split())}"'
    if _BUSY.search(said):
        return Busy(f"AWS has too many questions to answer. {quoted}")
    if _CLOCK.search(said):
        return AuthRejected(quoted, "Set the clock of the machine Tidegate runs on: AWS allows five minutes.")
    if _EXPIRED.search(said):
        return AuthRejected(quoted, "Enter a new access key: this one was temporary and has ended.")
    return AuthRejected(quoted) if _KEY.search(said) else None


def _credentials(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """The credentials in the answer of STS, which is XML, or JSON where it was asked for; one row of texts."""
    data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise VendorChanged("STS answered with more than credentials.")
    wanted = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
    given = _from_json(data) if data.lstrip()[:1] == b"{" else xml_texts(data)
    yield {name: _text(given.get(name), name) for name in wanted}


def _from_json(data: bytes) -> Mapping[str, Any]:
    try:
        return Row(msgspec.json.decode(data))["AssumeRoleResponse.AssumeRoleResult.Credentials"]
    except (ValueError, TypeError, RecursionError):
        raise VendorChanged("STS answered with something that is not JSON.") from None


def _text(value: Any, name: str) -> str:
    if isinstance(value, str) and value.strip():
        return value
    if name == "Expiration" and isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC).isoformat()
    raise VendorChanged(f"STS gave no {name}.")


def _time(told: str) -> datetime:
    try:
        ends = datetime.fromisoformat(told)
    except ValueError:
        raise VendorChanged("STS gave an Expiration that is no time.") from None
    return ends.replace(tzinfo=UTC) if ends.tzinfo is None else ends
