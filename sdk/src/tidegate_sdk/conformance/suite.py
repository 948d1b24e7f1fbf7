"""One suite for all Tools. The law: under any fault the same findings come, or the Family is not complete.

A word never seen before changes only the field it stands in, to Unknown or open, and is reported; no secret leaves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ..ask import Row
from ..finding import NO_PRODUCT, Severity
from ..tool import Tool
from .answers import AnswerCases
from .documents import DocumentCases
from .judgement import law, recovered
from .player import Player
from .world import Exchange, World

Case = Callable[[], Awaitable[list[str]]]


class Suite:
    """The cases of one World. Each gives its problems, none where all is well, and is independent of the others.

    `folder` is emptied and written to where the World is a tree of files.
    """

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.player = Player(world, folder)

    @property
    def cases(self) -> dict[str, Case]:
        """Every case by its name."""
        cases: dict[str, Case] = {
            "the Tool is described": self.is_described,
            "a clean run is complete": self.clean_run_is_complete,
            "the fixtures are rich": self.fixtures_are_rich,
            "twice gives the same": self.twice_gives_the_same,
        }
        if self.world.drifted is not None:
            cases["an edit keeps the keys"] = self.edit_keeps_the_keys
        if _shares(self.world.tool):
            cases["one VEP alone gives the same"] = self.one_vep_alone_gives_the_same
        more = AnswerCases(self.player) if self.world.vendor else DocumentCases(self.player)
        return {**cases, **more.cases}

    async def problems(self, case: str) -> list[str]:
        """What is wrong in this case; after it a clean run must be as before."""
        found = await self.cases[case]()
        if not found:
            again, _ = await self.player.play()
            found = [
                f"after that, in a clean run, {problem}" for problem in recovered(await self.player.golden(), again)
            ]
        return [problem.encode(errors="backslashreplace").decode() for problem in dict.fromkeys(found)]

    async def is_described(self) -> list[str]:
        """The Tool says what a form, a page and a log need."""
        tool = self.world.tool
        problems = [f"{name} is missing" for name in ("slug", "name", "a_record_is") if not getattr(tool, name, "")]
        for name, asked in tool.settings_type().model_fields.items():
            problems += [] if asked.title else [f"the setting {name} has no title"]
            problems += [] if asked.description else [f"the setting {name} has no description"]
        problems += [f"the severity {word!r} is not in lower case" for word in tool.severities if word != word.lower()]
        problems += [] if self.world.source else ["the fixtures do not name their source"]
        return problems

    async def clean_run_is_complete(self) -> list[str]:
        """Everything is read to its proven end, by the questions that the World answers."""
        golden, stage = await self.player.clean()
        problems = [f"crash: {golden.crash}"] if golden.crash else []
        problems += [f"error: {error}" for error in golden.errors]
        halted = {key: part for key, part in golden.parts.items() if not part.complete and not part.outcome.off}
        problems += [f"{key} is not complete: {part.outcome.why}" for key, part in halted.items()]
        problems += [f"{key} repeats {part.repeated} keys" for key, part in golden.parts.items() if part.repeated]
        problems += [f"the World does not answer {asked.method} {asked.url}" for asked in stage.unanswered]
        problems += [f"the Tool does not ask for {exchange}" for exchange in stage.unasked]
        problems += [] if golden.families else ["no Family was read"]
        for name, expected in self.world.expects.items():
            found = sum(len(part.values) for key, part in golden.parts.items() if key[1] == name)
            problems += [] if found == expected else [f"{name}: {found} were found, {expected} are there"]
        problems += [told for exchange in stage.exchanges for told in _misnamed(exchange)]
        return problems + law(golden, golden) + self.player.leaks(golden, stage) + self.player.secrets_in_values(golden)

    async def fixtures_are_rich(self) -> list[str]:
        """The World shows what every vendor shows one day."""
        golden = await self.player.golden()
        lacks: set[str] = set()
        known = golden.veps.values if golden.veps else {}
        paged: dict[str, bool] = {}
        for key, part in golden.parts.items():
            if part.outcome.proof is not None and part.outcome.proof.kind != "whole":
                paged[key[1]] = paged.get(key[1], False) or part.outcome.proof.pages > 1
        lacks |= {"second page"} if not all(paged.values()) else set()
        findings = [finding for part in golden.families.values() for finding in part.values.values()]
        filled = {key[0] for key, part in golden.families.items() if part.values}
        read = {key[0] for key in golden.families}
        lacks |= {"empty VEP"} if not read - filled else set()
        lacks |= {"unknown severity"} if all(f.severity is not Severity.UNKNOWN for f in findings) else set()
        lacks |= {"skipped row"} if not any(part.outcome.skipped for part in golden.parts.values()) else set()
        for name in {key[1] for key, _ in golden.walks}:
            homes = [veps for key, veps in golden.walks if key[1] == name]
            lacks |= set() if any(len(veps) > 1 for veps in homes) else {"second VEP of a walk"}
            lacks |= set() if any(veps - {NO_PRODUCT, *known} for veps in homes) else {"row of an unknown VEP"}
        unpaged = f" ({', '.join(name for name, more in paged.items() if not more)})"
        poor = [f"no {lack}{unpaged if lack == 'second page' else ''}" for lack in sorted(lacks - {*self.world.lacks})]
        return poor + [f"{lack!r} is excused and there" for lack in {*self.world.lacks} - lacks]

    async def twice_gives_the_same(self) -> list[str]:
        """Two runs of the same vendor are equal in everything, word by word."""
        first, _ = await self.player.play()
        second, _ = await self.player.play()
        problems = [] if first.account == second.account else ["the account differs"]
        problems += [] if first.parts.keys() == second.parts.keys() else ["the Families differ"]
        problems += [] if first.skipped == second.skipped else ["what is skipped differs"]
        for key, part in first.parts.items():
            same = key in second.parts and part.values == second.parts[key].values
            problems += [] if same else [f"{key} differs"]
        return problems

    async def one_vep_alone_gives_the_same(self) -> list[str]:
        """A walk that serves many VEPs serves each of them as well where nobody wants the others."""
        golden = await self.player.golden()
        problems: list[str] = []
        listed = [*golden.veps.values] if golden.veps else []
        nobody = [NO_PRODUCT] if NO_PRODUCT in {key[0] for key in golden.families} - {*listed} else []
        for vep in [*listed, *nobody]:
            result, stage = await self.player.play(scope=lambda other, vep=vep: other.id == vep)
            mine = {key: part for key, part in golden.families.items() if key[0] == vep}
            verdict = law(golden, result) + self.player.leaks(result, stage)
            verdict += [f"{key} is not read" for key in mine if key not in result.families]
            if not stage.unanswered:
                halted = [key for key, part in mine.items() if part.complete and key in result.families]
                verdict += [f"{key} is not complete" for key in halted if not result.families[key].complete]
            problems += [f"{vep} alone: {problem}" for problem in verdict]
        return problems

    async def edit_keeps_the_keys(self) -> list[str]:
        """Moved lines and edited texts make no new findings."""
        drifted = self.world.drifted
        assert drifted is not None
        golden = await self.player.golden()
        edited = await Player(drifted, self.player.folder).golden()
        problems = [f"crash: {edited.crash}"] if edited.crash else []
        for key, part in golden.families.items():
            now = edited.families.get(key)
            lost = part.values.keys() - (now.values.keys() if now else set())
            problems += [f"{key} gives {sorted(lost)} other keys"] if lost else []
        return problems


def _shares(tool: type[Tool[Any]]) -> bool:
    """Whether it says anything of walks that serve many VEPs."""
    return next(kind for kind in tool.__mro__ if "shared" in vars(kind)) is not Tool


def _misnamed(exchange: Exchange) -> list[str]:
    """Rows whose id is not the key of what is read from them: set aside, such a row would not count as seen."""
    problems: list[str] = []
    for row in exchange.rows:
        value = exchange.reads(row)
        if exchange.list is None or value is None:
            continue
        name = exchange.list.id
        told = Row(row)[name] if isinstance(name, str) else name(Row(row))
        key = str(getattr(value, "key", getattr(value, "id", "")))
        problems += [] if str(told) == key else [f"{exchange.key}: the id of a row is {told!r}, its key {key!r}"]
    return problems
