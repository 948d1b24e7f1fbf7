"""A Tool that lists by offset and searches by keyset, after OpenSearch's search_after, and its World."""

from typing import Any

from pydantic import Field, SecretStr

from tidegate_sdk import (
    Account,
    Ask,
    Families,
    Family,
    Finding,
    Header,
    Http,
    List,
    Offset,
    Row,
    SearchAfter,
    Settings,
    Skip,
    Talk,
    Tool,
    Vep,
    identifier,
)
from tidegate_sdk.conformance import Answer, Exchange, Fault, Request, World

from .numbered import text

BY_ID = SearchAfter("sort", json="search_after", total="hits.total.value")


class SearchedSettings(Settings):
    url: str = Field(title="Location URL", description="The address of the indexer.")
    token: SecretStr = Field(title="Token", description="Security, Internal users; the role reader.")


class Searched(Tool[SearchedSettings]):
    slug, name, a_record_is = "searched", "Searched", "an agent"

    def door(self) -> Http:
        return Http(self.settings.url, Header("Authorization", self.settings.token, "Bearer {}"))

    def account(self) -> Talk[Account]:
        page = yield Ask("me", bare=True)
        return Account(id=identifier(page.body, "id"))

    def veps(self) -> List[Vep]:
        by = Offset("data.total_affected_items", per=2)
        return List(Ask("agents"), "data.affected_items", by, self.agent, id="id")

    def families(self, vep: Vep) -> Families:
        search = {"size": 2, "track_total_hits": True, "sort": [{"id": "asc"}]}
        # A search is a GET with a body: unlike a POST it may be asked again.
        ask = Ask("states/_search", {"q": f"agent.id:{vep.id}"}, json=search)
        yield Family("vulnerabilities", List(ask, "hits.hits", BY_ID, self.hit, id="_id"))

    def agent(self, row: Row) -> Vep:
        return Vep(id=identifier(row, "id"), name=text(row["name"]))

    def hit(self, row: Row) -> Finding | Skip:
        if row["_source.category"] == "Hardware":
            return Skip("Hardware is not patched here.")
        state = text(row["_source.state"])
        return Finding(
            key=identifier(row, "_id"),
            title=text(row["_source.title"]),
            severity=self.severity(row["_source.severity"]),
            vendor_severity=text(row["_source.severity"]),
            vendor_status=state,
            fixed=state == "solved",
            unknown_words=() if state in ("valid", "solved") else (f"state: {state}",),
        )


def hit(key: str, severity: str = "High", state: str = "valid", category: str = "Packages") -> dict[str, Any]:
    title = f"A buffer overflow in libexample ({key})"
    source = {"title": title, "severity": severity, "state": state, "category": category}
    return {"_id": f"doc-{key}", "_source": source, "sort": [f"doc-{key}"]}


HITS: dict[str, list[Any]] = {
    "001": [hit("a"), hit("b", "Dire"), hit("c", category="Hardware"), hit("d", "Low", "solved"), hit("e", "Critical")],
    "002": [],
    "003": [hit("f"), hit("g")],
    "004": [hit("h")],
}
AGENTS = [{"id": key, "name": f"host-{key}"} for key in HITS]


class Server:
    """Answers like the documented API; `most` is the page size it silently lowers a larger one to."""

    def __init__(self, most: int = 500) -> None:
        self.most = most

    def answer(self, request: Request) -> Answer:
        match request.path:
            case "/me":
                return Answer({"id": "u1"})
            case "/agents":
                start, size = int(request.query["offset"]), min(int(request.query["limit"]), self.most)
                items = AGENTS[start : start + size]
                return Answer({"data": {"affected_items": items, "total_affected_items": len(AGENTS)}, "error": 0})
            case "/states/_search" if (agent := request.query["q"].partition(":")[2]) in HITS:
                return self.search(HITS[agent], request.json)
        return Answer({"error": "not found"}, status=404)

    def search(self, rows: list[Any], asked: dict[str, Any]) -> Answer:
        after = asked.get("search_after", [""])
        if not isinstance(after, list) or not isinstance(after[0], str):
            return Answer({"error": "parsing_exception"}, status=400)
        hits = [row for row in rows if row["sort"] > after][: min(asked["size"], self.most)]
        return Answer({"timed_out": False, "hits": {"total": {"value": len(rows), "relation": "eq"}, "hits": hits}})


def estimated(exchange: Exchange) -> Answer | None:
    return exchange.having("hits.total.relation", "gte") if exchange.value("hits.total.relation") else None


def world(tool: type[Tool[Any]] = Searched) -> World:
    return World(
        tool,
        {"url": "https://searched.test/", "token": "srch_a1b2/c3+d4=secret"},
        vendor=Server,
        source="https://docs.opensearch.org/latest/search-plugins/searching-data/paginate/",
        faults={"the total is an estimate": Fault(estimated, "ever")},
        variants={"pages of 1": lambda: Server(1)},
        expects={"VEPs": 4, "vulnerabilities": 7},
        skips_by=frozenset({"_source.category"}),
    )


WORLD = world()
