"""A document that is asked within a list, at the place where its rows stand: it tells what they are called by."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr

from tidegate_sdk import (
    Account,
    Ask,
    Families,
    Header,
    Http,
    List,
    Proof,
    Row,
    Settings,
    Talk,
    Tool,
    Vep,
    Walk,
    Whole,
    dig,
    identifier,
)
from tidegate_sdk.conformance import Answer, Request, Suite, World


class HousedSettings(Settings):
    url: str = Field(title="Location URL", description="Its address.")
    token: SecretStr = Field(title="API token", description="Of anybody.")


@dataclass
class Houses:
    """The houses, then what stands in each of them."""

    names: dict[str, str] = field(default_factory=dict[str, str])

    def walk(self, first: Ask) -> Walk:
        page = yield replace(first, bare=True)
        self.names = {identifier(row, "id"): str(row["name"]) for row in dig(page.body, "data")}
        seen = 0
        for house in self.names:
            seen += (yield from Whole().walk(Ask(f"houses/{house}/things"))).seen
        return Proof(seen, None, "steady", len(self.names))


class Housed(Tool[HousedSettings]):
    slug, name, a_record_is = "housed", "Housed", "a thing"

    def door(self) -> Http:
        return Http(self.settings.url, Header("Authorization", self.settings.token))

    def account(self) -> Talk[Account]:
        return Account(id=identifier((yield Ask("self", bare=True)).body, "id"))

    def veps(self) -> List[Vep]:
        houses = Houses()
        return List(Ask("houses"), "data", houses, lambda row: self.thing(row, houses), id="id")

    def thing(self, row: Row, houses: Houses) -> Vep:
        return Vep(id=identifier(row, "id"), name="thing", parent=houses.names.get(str(row["house"]), ""))

    def families(self, vep: Vep) -> Families:
        yield from ()


class Forgetful(Housed):
    """Takes a house that it has no name for as if nothing stood there: complete, and a thing is lost."""

    def veps(self) -> List[Vep]:
        class Named(Houses):
            def walk(self, first: Ask) -> Walk:
                page = yield replace(first, bare=True)
                told = [Row(row) for row in dig(page.body, "data")]
                self.names = {str(row["id"]): str(row["name"]) for row in told if row.get("name")}
                seen = 0
                for house in self.names:
                    seen += (yield from Whole().walk(Ask(f"houses/{house}/things"))).seen
                return Proof(seen, None, "steady", 1)

        houses = Named()
        return List(Ask("houses"), "data", houses, lambda row: self.thing(row, houses), id="id")


class Server:
    def answer(self, request: Request) -> Answer:
        match request.path.strip("/").split("/"):
            case ["self"]:
                return Answer({"id": "u1"})
            case ["houses"]:
                return Answer({"data": [{"id": "h1", "name": "Hill"}, {"id": "h2", "name": "Vale"}]})
            case ["houses", house, "things"] if house in ("h1", "h2"):
                return Answer({"data": [{"id": f"{house}-{number}", "house": house} for number in (1, 2)]})
        return Answer({"error": "not found"}, status=404)


def world(tool: type[Tool[Any]] = Housed, **more: Any) -> World:
    settings = {"url": "https://housed.test/", "token": "a-housed-token"}
    return World(tool, settings, vendor=Server, source="https://housed.test/docs", **more)


async def problems(told: World, folder: Path, wanted: Callable[[str], bool]) -> list[str]:
    suite = Suite(told, folder)
    return [problem for case in suite.cases if wanted(case) for problem in await suite.problems(case)]


def of_values(case: str) -> bool:
    return case.startswith("in a row") or case in ("around the rows", "fault: the same page again")


async def test_a_name_that_a_document_tells_may_change_with_it(tmp_path: Path):
    """A house that is called otherwise is called so by all that stands in it: no fault, and nothing is lost."""
    assert await problems(world(documents=frozenset({"/houses"})), tmp_path, of_values) == []


async def test_what_is_not_said_to_be_a_document_is_judged_as_rows(tmp_path: Path):
    assert any("changes h1-1" in problem for problem in await problems(world(), tmp_path, of_values))


async def test_a_document_that_changes_must_not_lose_anything(tmp_path: Path):
    """promises.md: missing or null fields. A house without a name is none the less there."""
    found = await problems(world(Forgetful, documents=frozenset({"/houses"})), tmp_path, of_values)

    assert any("loses ['h1-1', 'h1-2']" in problem for problem in found)
