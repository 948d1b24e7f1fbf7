"""A Tool that starts an export, waits and fetches its chunks, after Tenable's vulns/export, and its World."""

from typing import Any

from pydantic import Field, SecretStr

from tidegate_sdk import (
    Account,
    Ask,
    Export,
    Families,
    Family,
    Finding,
    Header,
    Http,
    List,
    Page,
    Row,
    Settings,
    Skip,
    Talk,
    Tool,
    VendorChanged,
    Vep,
    Whole,
    dig,
    identifier,
)
from tidegate_sdk.conformance import Answer, Exchange, Fault, Request, World

from .numbered import text


class Vulns:
    """The export of one network's vulnerabilities: where it is looked at, and where its chunks are."""

    def __init__(self, path: str) -> None:
        self.path = path

    def status(self, started: Page) -> Ask:
        return Ask(f"{self.path}/{identifier(started.body, 'export_uuid')}/status")

    def chunks(self, started: Page, looked: Page) -> list[Ask]:
        available = dig(looked.body, "chunks_available")
        if not isinstance(available, list) or any(type(chunk) is not int for chunk in available):
            raise VendorChanged("The list of chunks is none.")
        return [Ask(f"{self.path}/{identifier(started.body, 'export_uuid')}/chunks/{chunk}") for chunk in available]


def export(path: str) -> Export:
    vulns = Vulns(path)
    return Export(
        status=vulns.status,
        parts=vulns.chunks,
        state="status",
        working=frozenset({"QUEUED", "PROCESSING"}),
        done=frozenset({"FINISHED"}),
        count="total_chunks",
        lost=("chunks_failed", "chunks_cancelled"),
        polls=20,
    )


class ExportedSettings(Settings):
    access_key: SecretStr = Field(title="Access key", description="My account, API keys.")
    secret_key: SecretStr = Field(title="Secret key", description="My account, API keys.")


class Exported(Tool[ExportedSettings]):
    slug, name, a_record_is = "exported", "Exported", "a network"

    def door(self) -> Http:
        keys = self.settings
        both = f"accessKey={keys.access_key.get_secret_value()};secretKey={keys.secret_key.get_secret_value()}"
        return Http("https://exported.test/", Header("X-ApiKeys", SecretStr(both)))

    def account(self) -> Talk[Account]:
        return Account(id=text(dig((yield Ask("session", bare=True)).body, "username")))

    def veps(self) -> List[Vep]:
        return List(Ask("networks"), "networks", Whole(), self.network, id="uuid")

    def families(self, vep: Vep) -> Families:
        path = f"{vep.id}/vulns/export"
        start = Ask(path, method="POST", json={"num_assets": 50})
        yield Family("vulnerabilities", List(start, "", export(path), self.vulnerability, id="finding_id"))

    def network(self, row: Row) -> Vep:
        return Vep(id=identifier(row, "uuid"), name=text(row["name"]))

    def vulnerability(self, row: Row) -> Finding | Skip:
        if row["severity"] == "info" and row["state"] == "FIXED":
            return Skip("A note that is gone.")
        state = text(row["state"])
        return Finding(
            key=identifier(row, "finding_id"),
            title=text(row["plugin.name"]),
            severity=self.severity(row["severity"]),
            vendor_severity=text(row["severity"]),
            vendor_status=state,
            fixed=state == "FIXED",
            endpoint=text(row.get("asset.hostname")),
            unknown_words=() if state in ("OPEN", "REOPENED", "FIXED") else (f"state: {state}",),
        )


def vulnerability(key: str, severity: str = "high", state: str = "OPEN") -> dict[str, Any]:
    plugin = {"id": 10881, "name": f"OpenSSH server allows weak ciphers ({key})"}
    return {"finding_id": key, "severity": severity, "state": state, "plugin": plugin, "asset": {"hostname": "h1"}}


EXPORTS: dict[str, list[list[Any]]] = {
    "n1": [
        [vulnerability("a"), vulnerability("b", "disastrous")],
        [vulnerability("c", "low", "FIXED"), vulnerability("d", "info", "FIXED")],
        [vulnerability("e", "medium", "REOPENED")],
    ],
    "n2": [[]],
}


class Server:
    """Answers like the documented API; an export is processed for one poll."""

    def __init__(self) -> None:
        self.polls = 0

    def answer(self, request: Request) -> Answer:
        match request.path.strip("/").split("/"):
            case ["session"]:
                return Answer({"username": "bot"})
            case ["networks"]:
                return Answer({"networks": [{"uuid": "n1", "name": "Default"}, {"uuid": "n2", "name": "Lab"}]})
            case [network, "vulns", "export"] if request.method == "POST" and network in EXPORTS:
                self.polls = 0
                return Answer({"export_uuid": f"u-{network}"})
            case [network, "vulns", "export", job, "status"] if job == f"u-{network}":
                return Answer(self.status(len(EXPORTS[network])))
            case [network, "vulns", "export", job, "chunks", number] if job == f"u-{network}" and number.isdigit():
                chunks = EXPORTS[network]
                return Answer(chunks[int(number) - 1]) if 0 < int(number) <= len(chunks) else Answer(status=404)
        return Answer({"error": "not found"}, status=404)

    def status(self, chunks: int) -> dict[str, Any]:
        self.polls += 1
        done = self.polls > 1
        told = {"status": "FINISHED" if done else "PROCESSING", "total_chunks": chunks if done else 0}
        available = [*range(1, chunks + 1)] if done else []
        return {**told, "chunks_available": available, "chunks_failed": [], "chunks_cancelled": []}


def having(exchange: Exchange, **values: Any) -> Answer | None:
    """The status of a finished export, saying something else."""
    if not exchange.value("chunks_available"):
        return None
    return Answer({**exchange.answer.json, **values})


def chunk_lost(exchange: Exchange) -> Answer | None:
    return having(exchange, chunks_available=[1], chunks_failed=[2, 3])


def chunk_missing(exchange: Exchange) -> Answer | None:
    return having(exchange, chunks_available=[1, 2][: len(exchange.value("chunks_available") or ()) - 1])


def export_failed(exchange: Exchange) -> Answer | None:
    return having(exchange, status="ERROR", chunks_available=[1], total_chunks=1)


def world(tool: type[Tool[Any]] = Exported) -> World:
    return World(
        tool,
        {"access_key": "access-key-0123456789", "secret_key": "secret-key-abcdef/+="},
        vendor=Server,
        source="https://developer.tenable.com/reference/exports-vulns-request-export",
        faults={
            "a chunk lost": Fault(chunk_lost, "ever"),
            "a chunk missing": Fault(chunk_missing, "ever"),
            "the export failed": Fault(export_failed, "ever"),
        },
        expects={"VEPs": 2, "vulnerabilities": 4},
        skips_by=frozenset({"severity", "state"}),
    )


WORLD = world()
