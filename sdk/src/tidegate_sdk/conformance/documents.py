"""The cases of a folder: each file damaged, before it is read and while it is read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ..finding import Vep
from . import files
from .body import Way, field, kind_of, places, put
from .judgement import Touched, document_law, law
from .player import Player
from .rehearsal import Cues, Rehearsal
from .values import KINDS, Kind, encoded, odd_values, takes_away
from .world import VEPS, Key

Case = Callable[[], Awaitable[list[str]]]


class DocumentCases:
    """What a Tool does when files go wrong."""

    def __init__(self, player: Player) -> None:
        self.player = player

    @property
    def cases(self) -> dict[str, Case]:
        """Every case by its name."""
        cases: dict[str, Case] = {}
        for name, damage in files.BEFORE.items():
            cases[f"file: {name}"] = lambda damage=damage: self.damaged_before(damage)
        for name, damage in files.LATER.items():
            cases[f"file, listed and then {name}"] = lambda damage=damage: self.damaged_later(damage, "before")
            cases[f"file, half read and then {name}"] = lambda damage=damage: self.damaged_later(damage, "amid")
        for kind in KINDS:
            cases[f"in a document: {kind}"] = lambda kind=kind: self.value_in_documents(kind)
        return cases

    async def damaged_before(self, damage: files.Damage) -> list[str]:
        """Each file of the tree, damaged before the run."""
        golden = await self.player.golden()
        problems: list[str] = []
        for at in range(len(self.player.write_files())):
            file = self.player.write_files()[at]
            if damage(file):
                result = await self.player.play_files()
                verdict = law(golden, result, adds=(VEPS,)) + _read_outside(result) + self.player.leaks(result)
                problems += [f"{file.name}: {problem}" for problem in verdict]
        return problems

    async def damaged_later(self, damage: files.Damage, moment: Literal["before", "amid"]) -> list[str]:
        """Each file of the tree, damaged when the reading of a list begins, or after its first batch: of the list of
        VEPs, and of each list of the VEPs that the file is read for."""
        golden = await self.player.golden()
        problems: list[str] = []
        for at, of in enumerate(self.player.write_files()):
            readers = await self.player.readers(of)
            for key in (key for key in golden.lists if key == VEPS or not readers or key[0] in readers):
                file = self.player.write_files()[at]
                strike = _once(key, file, damage)
                cues = Cues(before=strike) if moment == "before" else Cues(amid=strike)
                result = await self.player.play_files(cues, _only(readers))
                verdict = law(golden, result, adds=(VEPS,)) + _read_outside(result) + self.player.leaks(result)
                problems += [f"{file.name}, {key}: {problem}" for problem in verdict]
        return problems

    async def value_in_documents(self, kind: Kind) -> list[str]:
        """One value of one JSON document becomes odd, for each field that any document has. The first time in each
        document everything is read, later only the VEPs that the document is read for: nobody else sees it."""
        golden = await self.player.golden()
        problems: list[str] = []
        skips_by = self.player.world.skips_by
        played: set[Path] = set()
        for file, tree, touched, way in list(_places_in(self.player.write_files(), skips_by)):
            healthy, readers = file.read_bytes(), await self.player.readers(file)
            for odd in odd_values(touched.before, often=True):
                if odd.kind != kind or takes_away(way, odd):
                    continue
                files.keep_time(file, encoded(put(tree, way, odd.value)))
                result = await self.player.play_files(scope=_only(readers if file in played else set()))
                played.add(file)
                verdict = document_law(golden, result, replace(touched, kind=kind)) + self.player.leaks(result)
                problems += [f"{file.name} {touched.field} = {odd.name}: {problem}" for problem in verdict]
            files.keep_time(file, healthy)
        return problems


def _only(readers: set[str]) -> Callable[[Vep], bool]:
    """The VEPs that are worth reading; every one where nobody is named."""
    return lambda vep: not readers or vep.id in readers


def _once(key: Key, file: Path, damage: files.Damage) -> Callable[[Key], None]:
    struck: list[Key] = []

    def strike(now: Key) -> None:
        if now == key and not struck:
            struck.append(now)
            damage(file)

    return strike


def _places_in(trees: list[Path], skips_by: frozenset[str]) -> Iterator[tuple[Path, Any, Touched, Way]]:
    """Each field of each kind of document once, in the first file that has it."""
    known: set[object] = set()
    for file in trees:
        try:
            tree = json.loads(file.read_bytes())
        except ValueError:
            continue
        kind = "/".join(sorted(tree)) if isinstance(tree, dict) else ""  # pyright: ignore[reportUnknownArgumentType]
        for way, before in places(tree):
            what = (kind, field(way), kind_of(before))
            if what not in known:
                known.add(what)
                yield file, tree, Touched(VEPS, None, field(way), before, "type", field(way) in skips_by), way


def _read_outside(result: Rehearsal) -> list[str]:
    values = [str(value) for part in result.parts.values() for value in part.values.values()]
    return ["it reads outside of its folder"] if any(files.OUTSIDE in text for text in values) else []
