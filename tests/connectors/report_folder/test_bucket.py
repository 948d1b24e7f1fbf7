"""Reports in a bucket: what moto's S3 holds, through the real Session; and what may be entered for one."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from pydantic import SecretStr, ValidationError
from werkzeug.serving import make_server

from tests.connectors.report_folder.reading import fixture, sarif
from tidegate.connectors.report_folder import ReportBucket, ReportBucketSettings
from tidegate_sdk import (
    NO_PRODUCT,
    AccessDenied,
    Ask,
    Bucket,
    ConnectorError,
    Family,
    Finding,
    Http,
    NotFound,
    Skipped,
    Talk,
    VendorChanged,
    Vep,
)
from tidegate_sdk.aws import AssumedRole, SigV4

KEYS = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCY"}
OF_S3 = {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """moto's server, for all tests here: it takes seconds to import its first answer."""
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def s3(server: str) -> str:
    """An empty S3 with a bucket `reports`."""
    backends: Any = s3_backends
    backends.reset()
    assert httpx2.put(f"{server}reports", headers=OF_S3).status_code == 200
    return server


def put(s3: str, key: str, content: bytes) -> None:
    assert httpx2.put(f"{s3}reports/{quote(key)}", content=content, headers=OF_S3).status_code == 200


def bucket(s3: str, url: str = "s3://reports/nightly") -> ReportBucket:
    told: dict[str, Any] = {"url": url, "endpoint_url": s3, **KEYS}
    return ReportBucket(ReportBucketSettings(**told))


async def veps(tool: ReportBucket) -> dict[str, Vep]:
    async with tool.open() as session:
        reading = session.read(tool.veps())
        found = {vep.id: vep async for batch in reading for vep in batch if isinstance(vep, Vep)}
        if reading.outcome.error is not None:
            raise reading.outcome.error
        return found


async def read(tool: ReportBucket, vep: str) -> tuple[dict[str, list[Finding]], list[str]]:
    """The findings of each Family of a Record, and what was skipped."""
    found: dict[str, list[Finding]] = {}
    skipped: list[str] = []
    async with tool.open() as session:
        async for family in session.families(Vep(id=vep, name=vep)):
            if isinstance(family, Skipped):
                skipped.append(family.because)
                continue
            assert isinstance(family, Family)
            reading = session.read(family.list)
            found[family.name] = [row async for batch in reading for row in batch if isinstance(row, Finding)]
            assert reading.outcome.complete, reading.outcome.why
    return found, skipped


async def test_reports_in_a_bucket_are_read_as_in_a_folder(s3: str):
    """The same Records, Families and findings as the same files in a folder."""
    put(s3, "nightly/shop/a b+ü/two-runs.sarif", fixture("two-runs.sarif"))
    put(s3, "nightly/shop/vex.json", fixture("vex-1.6.json"))
    put(s3, "nightly/shop/words.txt", b"no report")
    put(s3, "nightly/loose.sarif", sarif({"ruleId": "R", "message": {"text": "t"}}))
    put(s3, "elsewhere/billing/two-runs.sarif", fixture("two-runs.sarif"))

    found = await veps(bucket(s3))
    families, skipped = await read(bucket(s3), "shop")
    loose, _ = await read(bucket(s3), NO_PRODUCT)

    assert found.keys() == {"shop", NO_PRODUCT}
    assert all(families.values())
    assert len(families) == 3
    assert skipped == []
    assert [len(rows) for rows in loose.values()] == [1]


async def test_the_newest_report_of_a_producer_is_the_state(s3: str):
    put(s3, "nightly/shop/new.sarif", sarif({"ruleId": "NEW", "message": {"text": "t"}}, invocations=[
        {"executionSuccessful": True, "endTimeUtc": "2025-02-01T00:00:00Z"}]))  # fmt: skip
    put(s3, "nightly/shop/old.sarif", sarif({"ruleId": "OLD", "message": {"text": "t"}}, invocations=[
        {"executionSuccessful": True, "endTimeUtc": "2025-01-01T00:00:00Z"}]))  # fmt: skip

    families, _ = await read(bucket(s3), "shop")

    assert [finding.rule for rows in families.values() for finding in rows] == ["NEW"]


async def test_a_listing_of_many_pages_is_read_to_its_end(s3: str):
    """ListObjectsV2 gives a thousand keys at once."""
    backend: Any = s3_backends["123456789012"]["aws"]
    for number in range(1_002):
        backend.put_object("reports", f"nightly/p{number:04d}/empty.json", b"{}")

    assert len(await veps(bucket(s3))) == 1_002


@pytest.mark.parametrize("url", ["s3://reports/nightli", "s3://reports/", "s3://nowhere/nightly"])
async def test_a_prefix_with_nothing_below_it_is_an_error_and_no_empty_answer(s3: str, url: str):
    """Everything gone at once is what a wrong prefix, or another bucket, looks like."""
    with pytest.raises(NotFound):
        await veps(bucket(s3, url))


async def test_an_object_that_is_gone_between_listing_and_reading_is_told(s3: str):
    put(s3, "nightly/shop/a.sarif", fixture("two-runs.sarif"))
    tool = bucket(s3)

    async with tool.open() as session:
        named = session.families(Vep(id="shop", name="shop"))
        first = await anext(named)
        await named.aclose()
        assert isinstance(first, Family)
        httpx2.delete(f"{s3}reports/nightly/shop/a.sarif", headers=OF_S3)
        reading = session.read(first.list)
        rows = [row async for batch in reading for row in batch]

    assert rows == []
    assert isinstance(reading.outcome.error, NotFound)
    assert not reading.outcome.complete


async def test_test_connection_names_the_bucket(s3: str):
    from tidegate.ingest.probe import _probe  # pyright: ignore[reportPrivateUsage] - in this loop

    put(s3, "nightly/shop/a.sarif", fixture("two-runs.sarif"))

    probed = await _probe(bucket(s3), {})

    assert [step.sentence for step in probed.steps] == ["Logged in as s3://reports/nightly/.", "One folder."]
    assert "wJalrXUtnFEMI" not in str(probed)


# What S3 may say


def answering(told: str | bytes, status: int = 200) -> httpx2.MockTransport:
    content = told.encode() if isinstance(told, str) else told
    return httpx2.MockTransport(lambda request: httpx2.Response(status, content=content))


def listing(inner: str, truncated: str = "<IsTruncated>false</IsTruncated>") -> str:
    return f"<ListBucketResult>{truncated}{inner}</ListBucketResult>"


def file(key: str, facts: str = "<LastModified>2026-05-02T05:26:40.000Z</LastModified><Size>1</Size>") -> str:
    return f"<Contents><Key>{key}</Key>{facts}</Contents>"


async def listed(told: str | bytes, status: int = 200) -> list[Any]:
    settings: dict[str, Any] = {"url": "s3://b22/p", "region": "eu-west-1"}
    tool = ReportBucket(ReportBucketSettings(**settings))
    async with tool.open(transport=answering(told, status)) as session:
        return await session.talk(_body())


def _body() -> Talk[Any]:
    page = yield Ask()
    return page.body


AT = "<LastModified>2026-05-02T05:26:40Z</LastModified>"


@pytest.mark.parametrize(
    "told",
    [
        "", "{}", "<html>sign in</html>", "<a", listing(file("p/a"), ""),
        listing(file("p/a"), "<IsTruncated>maybe</IsTruncated>"),
        listing(file("p/a"), "<IsTruncated>true</IsTruncated>"),
        listing(file("q/a")), listing(file("")), listing(file("p/a", "<Size>1</Size>")), listing(file("p/a", AT)),
        listing(file("p/a", "<LastModified>soon</LastModified><Size>1</Size>")),
        listing(file("p/a", "<LastModified>2026-05-02T05:26:40</LastModified><Size>1</Size>")),
        "<!DOCTYPE x [<!ENTITY a 'b'>]>" + listing(file("p/&a;")), b"<a>" + b" " * 2**24 + b"</a>",
        listing(file("p/a"), "<IsTruncated>true</IsTruncated><NextContinuationToken>1</NextContinuationToken>"),
    ],
)  # fmt: skip
async def test_a_listing_that_is_none_is_an_error_and_no_empty_folder(told: str | bytes):
    with pytest.raises(ConnectorError):
        await listed(told)


async def test_keys_that_no_path_can_name_are_left_out():
    odd = "".join(file(f"p/{name}") for name in ("", ".", "..", "a%00", "good"))
    folders = "".join(f"<CommonPrefixes><Prefix>p/{name}/</Prefix></CommonPrefixes>" for name in ("", "..", "b%20c"))

    assert [row["path"] for row in await listed(listing(odd + folders))] == ["b c/", "good"]


async def test_amazons_words_are_told():
    with pytest.raises(AccessDenied, match="no bucket for you"):
        await listed("<Error><Code>AccessDenied</Code><Message>no bucket for you</Message></Error>", 403)
    with pytest.raises(VendorChanged, match="specified endpoint"):
        await listed("<Error><Code>PermanentRedirect</Code><Message>use the specified endpoint</Message></Error>", 301)


# Settings


def door(**told: Any) -> Bucket:
    return ReportBucket(ReportBucketSettings(**{"url": "s3://acme-reports/a/b", "region": "eu-west-1", **told})).door()


def test_the_door_leads_to_the_bucket_with_the_keys():
    made = door(**KEYS)

    assert (made.http.location, made.prefix) == ("https://s3.eu-west-1.amazonaws.com/acme-reports/", "a/b/")
    assert made.http.auth == SigV4(made.http.auth.keys, "s3", "eu-west-1")  # type: ignore[union-attr]
    assert door().http.auth is None
    assert door(verify_tls=False).warning
    role = door(**KEYS, role="arn:aws:iam::111122223333:role/r").http.auth
    assert isinstance(role, AssumedRole)
    assert isinstance(role.sts, Http)
    assert (role.sts.location, role.service) == ("https://sts.eu-west-1.amazonaws.com/", "s3")
    assert door(endpoint_url="minio:9000").http.location == "https://minio:9000/acme-reports/"


@pytest.mark.parametrize(
    "told",
    [
        {"url": "reports"}, {"url": "s3://"}, {"url": "s3://b/"}, {"url": "s3://bucket/a//b"}, {"url": "s3://bucket/../b"},
        {"url": "s3://Bucket/a"}, {"url": "https://bucket.s3.amazonaws.com/"}, {"region": ""}, {"region": "a b"},
        {"access_key_id": "AKIA"}, {"secret_access_key": SecretStr("x")}, {"role": "arn:aws:iam::111122223333:role/r"},
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(told: dict[str, Any]):
    with pytest.raises(ValidationError):
        door(**told)
