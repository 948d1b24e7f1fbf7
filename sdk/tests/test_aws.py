"""Requests that botocore signs and the Session sends, and the role that STS lets us into."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import httpx2
import pytest
from pydantic import SecretStr

from sdk.tests.conftest import Open
from sdk.tests.plain import Log, body_of
from tidegate_sdk import AccessDenied, AuthRejected, Http, Outgoing, VendorChanged
from tidegate_sdk.aws import AssumedRole, Keys, SigV4, host_of, is_of_aws, region_of
from tidegate_sdk.body import xml_texts

SECRET, ROLE = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "arn:aws:iam::111122223333:role/tidegate"
KEYS = Keys("AKIDEXAMPLE", SecretStr(SECRET))
API, STS = "https://securityhub.eu-west-1.amazonaws.com/", "https://sts.eu-west-1.amazonaws.com/"


def signed_by(secret: str, request: httpx2.Request, content: bytes) -> str:
    """The signature that AWS would expect, by its documentation of Signature Version 4 and nothing of botocore's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    told = request.headers["authorization"]
    scope, names = re.findall(r"Credential=[^/]+/(\S+), SignedHeaders=([^,]+),", told)[0]
    day, region, service, _ = scope.split("/")
    path, _, query = request.url.raw_path.decode().partition("?")
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(query, keep_blank_values=True))
    is_s3 = service == "s3"
    headers = "".join(f"{name}:{request.headers[name]}\n" for name in names.split(";"))
    canonical = "\n".join(
        [
            request.method,
            quote(unquote(path) if is_s3 else path, safe="/~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            headers,
            names,
            hashlib.sha256(content).hexdigest(),
        ]
    )
    date = request.headers["x-amz-date"]
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}"
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return hmac.new(key, text.encode(), "sha256").hexdigest()


@dataclass
class Amazon(httpx2.AsyncBaseTransport):
    """Checks every signature; its STS lets the keys into the role, each time with other keys."""

    ends: timedelta = timedelta(hours=1)
    json: bool = False
    assumed: int = 0
    refuses: bool = False
    expired: set[str] = field(default_factory=set)
    requests: list[httpx2.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        self.requests.append(request)
        token = request.headers.get("x-amz-security-token", "")
        secret = f"secret+of/{token}" if token else SECRET
        assert request.headers["authorization"].endswith(f"Signature={signed_by(secret, request, content)}")
        if request.url.host.startswith("sts."):
            return self._sts(content.decode())
        if token in self.expired:
            return httpx2.Response(403, json={"message": "The security token included in the request is expired"})
        return httpx2.Response(200, json={"id": token or "keys"})

    def _sts(self, form: str) -> httpx2.Response:
        fields = dict(parse_qsl(form))
        assert fields["Action"] == "AssumeRole"
        assert fields["ExternalId"] == "external/id"
        if self.refuses:
            said = f"User: arn:aws:iam::1:user/t is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
            error = "<ErrorResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><Error><Code>AccessDenied</Code>"
            return httpx2.Response(403, text=f"{error}<Message>{said}</Message></Error></ErrorResponse>")
        self.assumed += 1
        ends = datetime.now(UTC) + self.ends
        token = f"token-{self.assumed}"
        given = {"AccessKeyId": "ASIA1", "SecretAccessKey": f"secret+of/{token}", "SessionToken": token}
        if self.json:
            told = {"Credentials": {**given, "Expiration": ends.timestamp()}}
            return httpx2.Response(200, json={"AssumeRoleResponse": {"AssumeRoleResult": told}})
        inner = "".join(
            f"<{name}>{value}</{name}>" for name, value in {**given, "Expiration": ends.isoformat()}.items()
        )
        told = f"<AssumeRoleResult><Credentials>{inner}</Credentials></AssumeRoleResult>"
        return httpx2.Response(200, text=f"<AssumeRoleResponse>{told}</AssumeRoleResponse>")


def direct(**how: Any) -> Http:
    return Http(API, SigV4(KEYS, "securityhub", "eu-west-1"), per_second=0, **how)


def through_a_role() -> Http:
    sts = Http(STS, SigV4(KEYS, "sts", "eu-west-1"))
    return Http(API, AssumedRole(sts, ROLE, "securityhub", "eu-west-1", SecretStr("external/id")), per_second=0)


def expiry(body: Any) -> AuthRejected | None:
    return AuthRejected("The token has expired.") if "is expired" in str(body) else None


@pytest.mark.parametrize(
    "ask",
    [
        {"path": "findings", "method": "POST", "json": {"MaxResults": 100, "Filters": {"Title": "ü"}}, "safe": True},
        {"path": "members", "query": {"MaxResults": 50, "NextToken": "a+b/c= d~e", "OnlyAssociated": "true"}},
        {"path": "findingAggregator/get/arn:aws:securityhub:eu-west-1:1:finding-aggregator/a%2Fb"},
        {"path": ""},
    ],
)
async def test_every_request_carries_the_signature_that_amazon_expects(opened: Open, ask: dict[str, Any]):
    async with opened(direct(), transport=Amazon()) as session:
        assert await session.talk(body_of(**ask)) == {"id": "keys"}


async def test_objects_of_s3_are_signed_in_their_own_way(opened: Open):
    """S3 takes the path as it is, and wants the hash of the body in a header."""
    amazon = Amazon()
    door = Http("https://bucket.s3.eu-west-1.amazonaws.com/", SigV4(KEYS, "s3", "eu-west-1"), per_second=0)

    async with opened(door, transport=amazon) as session:
        await session.talk(body_of("a%20b/c%2Bd.json"))
        await session.talk(body_of("?list-type=2&prefix=a%20b%2B&delimiter=%2F"))

    assert amazon.requests[0].headers["x-amz-content-sha256"] == hashlib.sha256(b"").hexdigest()


async def test_a_repetition_is_signed_anew(opened: Open):
    """A signature is good for five minutes, and a wait may be as long."""
    dates: list[str] = []
    times = iter([datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 9, tzinfo=UTC)])

    def answer(request: httpx2.Request) -> httpx2.Response:
        dates.append(request.headers["x-amz-date"])
        return httpx2.Response(503 if len(dates) == 1 else 200, json={})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda: next(times))
        async with opened(direct(), transport=httpx2.MockTransport(answer)) as session:
            await session.talk(body_of("findings", method="POST", json={}, safe=True))

    assert dates == ["20260101T000000Z", "20260101T000900Z"]


async def test_a_session_token_goes_along(opened: Open):
    amazon = Amazon()
    keys = Keys("ASIA1", SecretStr("secret+of/a-token"), SecretStr("a-token"))

    async with opened(Http(API, SigV4(keys, "securityhub", "eu-west-1"), per_second=0), transport=amazon) as session:
        assert await session.talk(body_of("accounts")) == {"id": "a-token"}


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_role_is_assumed_once_and_signs_from_then_on(opened: Open, as_json: bool):
    amazon = Amazon(json=as_json)

    async with opened(through_a_role(), transport=amazon) as session:
        assert [await session.talk(body_of("accounts")) for _ in range(2)] == [{"id": "token-1"}, {"id": "token-1"}]

    assert amazon.assumed == 1


async def test_a_role_that_ends_is_assumed_again(opened: Open):
    amazon = Amazon(ends=timedelta(seconds=90))

    async with opened(through_a_role(), transport=amazon) as session:
        assert [await session.talk(body_of("accounts")) for _ in range(2)] == [{"id": "token-1"}, {"id": "token-2"}]


async def test_a_role_that_expires_half_way_is_assumed_again(opened: Open):
    amazon = Amazon()

    async with opened(through_a_role(), transport=amazon) as session:
        session.tool.known_refusal = expiry  # type: ignore[attr-defined]
        await session.talk(body_of("accounts"))
        amazon.expired.add("token-1")
        assert await session.talk(body_of("findings", method="POST", json={})) == {"id": "token-2"}


async def test_a_role_that_is_refused_is_told_with_amazons_words(opened: Open):
    async with opened(through_a_role(), transport=Amazon(refuses=True)) as session:
        with pytest.raises(AccessDenied, match=r"cannot be assumed\..*is not authorized to perform: sts:AssumeRole"):
            await session.talk(body_of("accounts"))


async def test_what_is_signed_is_never_logged(opened: Open, log: Log, caplog: pytest.LogCaptureFixture):
    """Invariant 7: botocore tells at level DEBUG what it signs, and the session token is part of that."""
    keys = Keys("ASIA1", SecretStr("secret+of/a-session-token"), SecretStr("a-session-token"))
    logging.getLogger("botocore.auth").setLevel(logging.NOTSET)

    with caplog.at_level(logging.DEBUG):
        async with opened(Http(API, SigV4(keys, "sts", "eu-west-1"), per_second=0), transport=Amazon()) as session:
            await session.talk(body_of("accounts"))

    assert "a-session-token" not in caplog.text + repr(log) + repr(session.tool.door())


XML = b"<a><AccessKeyId>A</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken>%s</a>"
NO_CREDENTIALS = (
    *(b"", b"<", b"{", b"[]", b'{"AssumeRoleResponse": {}}', b"<html>no</html>", b"<a>" * 70_000),
    XML % b"",
    XML % b"<Expiration>soon</Expiration>",
    b'<!DOCTYPE a [<!ENTITY e "x">]>' + XML % b"<Expiration>&e;</Expiration>",
)


@pytest.mark.parametrize("told", NO_CREDENTIALS)
async def test_an_answer_of_sts_that_is_none_is_an_error(opened: Open, told: bytes):
    async with opened(through_a_role(), transport=httpx2.MockTransport(_answering(told))) as session:
        with pytest.raises(VendorChanged):
            await session.talk(body_of("accounts"))


def _answering(told: bytes) -> Callable[[httpx2.Request], httpx2.Response]:
    return lambda request: httpx2.Response(200, content=told)


def test_the_texts_of_small_xml_are_read_by_their_names():
    assert xml_texts(b"<n:Error xmlns:n='x'><Code> A&amp;B </Code><Empty/><Code>other</Code></n:Error>") == {
        "Code": " A&B "
    }


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("securityhub.eu-west-1.amazonaws.com", "eu-west-1"),
        ("securityhub-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("vpce-0a1b2c3d-9.securityhub.us-east-1.vpce.amazonaws.com", "us-east-1"),
        ("s3.amazonaws.com", ""),
        ("localhost", ""),
    ],
)
def test_a_host_of_amazon_names_its_region(host: str, region: str):
    assert region_of(host) == region


def test_hosts_are_named_by_service_region_and_partition():
    assert host_of("sts", "cn-north-1") == "sts.cn-north-1.amazonaws.com.cn"
    assert host_of("sts", "us-gov-west-1") == "sts.us-gov-west-1.amazonaws.com"
    assert is_of_aws("https://sts.cn-north-1.amazonaws.com.cn/")
    assert not is_of_aws("https://amazonaws.com.evil.test/")
    assert not is_of_aws("https://evilamazonaws.com/")


def test_a_key_is_in_no_repr():
    assert SECRET not in repr(SigV4(KEYS, "sts", "x")) + repr(Outgoing("GET", "https://x.test/", {}))
