"""Plays a World's Tool, again and again, against the same vendor or the same tree of files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..ask import every_vep
from ..finding import Vep
from ..tool import Tool
from .files import files_of
from .rehearsal import Cues, Rehearsal, rehearse
from .stage import Stage, spoken
from .world import VEPS, Answer, Exchange, Fault, Key, Request, Vendor, World


class Player:
    """Keeps the golden run: what a Tool gives when nothing goes wrong. Trees are written to `folder`, always anew."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self._clean: dict[Key | None, tuple[Rehearsal, Stage]] = {}
        self._secrets: tuple[str, ...] | None = None

    async def golden(self) -> Rehearsal:
        """What a clean run gives."""
        return (await self.clean())[0]

    async def clean(self) -> tuple[Rehearsal, Stage]:
        """The clean run, with every question that was asked."""
        if None not in self._clean:
            self._clean[None] = await self._play(None, None, 1, self.world.vendor, every_vep)
        return self._clean[None]

    async def play(
        self,
        fault: Fault | None = None,
        number: int = 1,
        vendor: Callable[[], Vendor] | None = None,
        scope: Callable[[Vep], bool] = every_vep,
    ) -> tuple[Rehearsal, Stage]:
        """A run in which the fault strikes at the request of that number."""
        return await self._play(await self.golden(), fault, number, vendor or self.world.vendor, scope)

    async def play_near(self, fault: Fault, number: int) -> tuple[Rehearsal, Stage, Rehearsal]:
        """As play(), but that of all lists only the one is read that the request belongs to, or those of the VEP that
        it asks about; and what a clean run of that alone gives. Everything is read where it belongs to none, and where
        it is not asked then.
        """
        golden, clean = await self.clean()
        struck = clean.exchanges[number - 1]
        before = [one for one in clean.exchanges[:number] if one.key == struck.key]
        if struck.key == VEPS or not (struck.key in golden.lists or (struck.key[0] and struck.key[1:] == ("", ""))):
            return *await self.play(fault, number), golden
        if struck.key not in self._clean:
            vendor = self.world.vendor
            self._clean[struck.key] = await self._play(golden, None, 1, vendor, every_vep, struck.key)
        healthy, near = self._clean[struck.key]
        numbers = [at for at, one in enumerate(near.exchanges, 1) if one.key == struck.key]
        at = numbers[len(before) - 1] if len(before) <= len(numbers) else 0
        if not at or near.exchanges[at - 1].request.question != struck.request.question:
            return *await self.play(fault, number), golden
        return *await self._play(golden, fault, at, self.world.vendor, every_vep, struck.key), healthy

    async def play_files(self, cues: Cues | None = None, scope: Callable[[Vep], bool] = every_vep) -> Rehearsal:
        """A run over the files as they lie in the folder now."""
        golden = await self.golden()
        tool = self.world.make_tool(self.root)
        return await rehearse(tool, Stage(self.world, _Nobody(), tool), golden, cues, scope)

    async def readers(self, file: Path) -> set[str]:
        """The VEPs that a file is opened for in a clean run; none where nobody opens it."""
        return (await self.golden()).opened.get(file.relative_to(self.root).as_posix(), set())

    @property
    def root(self) -> Path:
        """Where the tree of files lies; the same for all runs, for Tools name it."""
        return self.folder / "root"

    def write_files(self) -> list[Path]:
        """Writes the healthy tree anew and gives its files in order."""
        if self.world.tree is None:
            return []
        shutil.rmtree(self.folder, ignore_errors=True)
        self.root.mkdir(parents=True)
        self.world.tree(self.root)
        return files_of(self.root)

    def leaks(self, result: Rehearsal, stage: Stage | None = None) -> list[str]:
        """Secrets in what left the Session, and requests to hosts that are none of the Tool's."""
        secrets = self.secrets
        is_told = spoken(secrets, "\n".join(result.said))  # nearly never, and then it is asked where
        told = [text for text in result.said if spoken(secrets, text)] if is_told else []
        return [f"a secret is in: {text[:160]}" for text in told] + (stage.leaks if stage else [])

    def secrets_in_values(self, result: Rehearsal) -> list[str]:
        """Secrets in what a Tool makes of a vendor's answers."""
        values = [result.account, *(value for part in result.parts.values() for value in part.values.values())]
        told = spoken(self.secrets, repr(values))
        return ["a secret stands in what the Tool gives back"] if told else []

    @property
    def secrets(self) -> tuple[str, ...]:
        """Those of the settings; no fault changes them."""
        if self._secrets is None:
            self._secrets = self.tool().secrets()
        return self._secrets

    def tool(self) -> Tool[Any]:
        """The Tool, configured."""
        return self.world.make_tool(self.root)

    async def _play(
        self,
        golden: Rehearsal | None,
        fault: Fault | None,
        number: int,
        vendor: Callable[[], Vendor] | None,
        scope: Callable[[Vep], bool],
        focus: Key | None = None,
    ) -> tuple[Rehearsal, Stage]:
        self.write_files()
        tool = self.tool()
        stage = Stage(self.world, vendor() if vendor else _Nobody(), tool, fault, number)
        return await rehearse(tool, stage, golden, scope=scope, focus=focus), stage


class _Nobody:
    """No vendor: a folder is read."""

    def answer(self, request: Request) -> Answer:
        """Nobody asks."""
        raise AssertionError(f"A folder Tool asked {request.url}.")


def at(exchange: Exchange, problems: list[str]) -> list[str]:
    """The problems, with the question at which they arose."""
    asked = exchange.request
    where = f"{asked.method} {asked.path} {asked.operation}".strip()
    return [f"{where}: {problem}" for problem in problems]
