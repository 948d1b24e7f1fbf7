"""Security Hub and STS as moto plays them: another reading of AWS's documentation than ours."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx2
import pytest
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.securityhub.models import securityhub_backends
from pydantic import SecretStr
from werkzeug.serving import make_server

from tidegate.connectors.aws_security_hub.connector import SecurityHub, SecurityHubSettings
from tidegate.demo.fake_security_hub import World
from tidegate_sdk import Finding, Session, Vep

ACCOUNT = "123456789012"  # moto's own
MISSING = {"/findingAggregator/list": {"FindingAggregators": []}, "/standards/get": {"StandardsSubscriptions": [{}]}}
"""What moto does not answer yet, and the Tool asks."""


class Moto:
    """moto's server, but for what it lacks."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        answer = MISSING.get(environ["PATH_INFO"])
        if answer is None:
            app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]] = self._moto
            return app(environ, start)
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]


@pytest.fixture
def url() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, Moto(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()
    backends: BackendDict[Any] = securityhub_backends
    backends.reset()


def tool(url: str, **more: Any) -> SecurityHub:
    told = {"url": url, "region": "eu-west-1", "access_key_id": "AKIAIOSFODNN7EXAMPLE", **more}
    return SecurityHub(SecurityHubSettings(**told, secret_access_key=SecretStr("wJalrXUtnFEMI/K7MDENG/bPxRfiCY")))


def imported(url: str, *rows: dict[str, Any]) -> None:
    """As a product would send them, by BatchImportFindings."""
    auth = {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/securityhub/aws4_request"}
    hub = httpx2.post(f"{url}accounts", json={}, headers=auth)
    done = httpx2.post(f"{url}findings/import", json={"Findings": rows}, headers=auth)
    assert (hub.status_code, done.json()["FailedCount"]) == (200, 0)


async def read(session: Session) -> dict[str, dict[str, Finding]]:
    """The findings of each Family of the one account there is."""
    veps = [vep async for batch in session.read(session.tool.veps()) for vep in batch if isinstance(vep, Vep)]
    found: dict[str, dict[str, Finding]] = {}
    async for family in session.shared(veps):
        assert not hasattr(family, "because")
        reading = session.read_shared(family)  # type: ignore[arg-type]
        rows = [row async for batch in reading for row in batch]
        assert reading.outcome.complete, reading.outcome.why
        kept = [(home, row) for home, row in rows if isinstance(row, Finding)]
        assert {home for home, _ in kept} <= {f"{ACCOUNT}/eu-west-1"}
        found[family.name] = {row.key: row for _, row in kept}  # type: ignore[union-attr]
    return found


async def test_findings_come_from_moto_in_pages(url: str):
    world = World()
    keys = {
        "controls": {world.fail_control(ACCOUNT) for _ in range(130)},
        "vulnerabilities": {world.find_vulnerability(ACCOUNT)},
        "findings": {world.find_threat(ACCOUNT)},
    }
    imported(url, *world.findings.values())

    async with tool(url).open() as session:
        account = await session.talk(session.tool.account())
        found = await read(session)

    assert account.id == f"arn:aws:securityhub:eu-west-1:{ACCOUNT}:hub/default"
    assert {family: set(rows) for family, rows in found.items()} == keys
    assert found["vulnerabilities"][next(iter(keys["vulnerabilities"]))].component.startswith("package-")


async def test_a_role_is_assumed_at_motos_sts(url: str):
    world = World()
    key = world.find_threat(ACCOUNT)
    imported(url, *world.findings.values())
    role = {"role": f"arn:aws:iam::{ACCOUNT}:role/tidegate", "sts_url": url}

    async with tool(url, **role).open() as session:
        assert set((await read(session))["findings"]) == {key}


async def test_a_hub_that_is_not_enabled_is_told(url: str):
    from tidegate.ingest.probe import _probe  # pyright: ignore[reportPrivateUsage] - in this loop

    probed = await _probe(tool(url), {})

    assert "Enable Security Hub for this account in this region" in probed.steps[-1].sentence
