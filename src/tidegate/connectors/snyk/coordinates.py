"""Where an issue stands, and how it can be fixed: the coordinates that Snyk gives of each."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tidegate_sdk import Row
from tidegate_sdk.fields import cut, line, objects, quoted, text

PLACES, LONGEST = 60, 4_000
_FIXES: Mapping[str, str] = {
    "is_upgradeable": "upgrade",
    "is_pinnable": "pin the version",
    "is_patchable": "patch",
    "is_fixable_snyk": "fix by Snyk",
    "is_fixable_upstream": "fix upstream",
    "is_fixable_manually": "fix by hand",
}
_ECOSYSTEMS: Mapping[str, str] = {
    "js": "npm", "npm": "npm", "python": "pypi", "pip": "pypi", "java": "maven", "maven": "maven", "dotnet": "nuget",
    "nuget": "nuget", "ruby": "gem", "rubygems": "gem", "golang": "golang", "php": "composer", "composer": "composer",
    "rust": "cargo", "hex": "hex", "pub": "pub", "swift": "swift", "cocoapods": "cocoapods",
}  # fmt: skip
"""What Snyk's ids call an ecosystem (SNYK-JS-…, or npm:… in old ones), as a package URL writes it. A distribution's
package needs its release too, which Snyk does not tell in a form of its own."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that has the weakness."""

    name: str
    version: str
    reachability: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()

    def purl(self, problems: tuple[str, ...]) -> str:
        """Its package URL, where one of Snyk's own ids of the weakness says what ecosystem it is of."""
        kind = next((kind for problem in problems if (kind := _ecosystem(problem))), "")
        if not kind or not self.name:
            return ""
        parts = re.split(r"[:/]" if kind == "maven" else "/", self.name)
        path = "/".join(quoted(part) for part in parts if part)
        return f"pkg:{kind}/{path}@{quoted(self.version)}" if self.version else f"pkg:{kind}/{path}"


@dataclass(frozen=True, slots=True)
class Coordinates:
    """All that the coordinates of one issue say. An issue of a package has one for each version of it, in an order
    that means nothing; the first by name stands for them."""

    packages: tuple[Package, ...] = ()
    path: str = ""
    line: int | None = None
    resource: str = ""
    """A cloud's or a template's resource."""
    places: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()

    @property
    def package(self) -> Package:
        return self.packages[0] if self.packages else Package("", "")

    @property
    def evidence(self) -> str:
        """Every place, one a line, bounded."""
        told = [f"{each} ({each.reachability})" if each.reachability else str(each) for each in self.packages]
        lines = [*told, *self.places]
        if len(lines) > PLACES:
            lines[PLACES:] = ["[further places left out]"]
        return cut("\n".join(lines), LONGEST)


def coordinates_of(row: Row) -> Coordinates:
    """Reads them; an issue may have none."""
    packages: set[tuple[str, str, str]] = set()
    sources: list[tuple[str, int | None]] = []
    resources: list[str] = []
    paths: list[str] = []
    fixes: set[str] = set()
    remedies: dict[str, None] = {}
    for each in objects(row.get("attributes.coordinates")):
        reachability = text(each.get("reachability"))
        fixes.update(word for name, word in _FIXES.items() if each.get(name) is True)
        remedies.update(dict.fromkeys(_remedies(each)))
        for place in objects(each.get("representations")):
            if (package := text(place.get("dependency.package_name"))) != "":
                packages.add((package, text(place.get("dependency.package_version")), reachability))
            if (file := text(place.get("sourceLocation.file"))) != "":
                sources.append((file, line(place.get("sourceLocation.region.start.line"))))
            if resource := _resource(place):
                resources.append(resource)
            if path := text(place.get("resourcePath")):
                paths.append(path)
    first = sources[0] if sources else ("", None)
    places = [f"{file}:{number}" if number else file for file, number in sources]
    found = tuple(Package(*each) for each in sorted(packages))
    told = tuple(dict.fromkeys((*places, *resources, *paths)))
    return Coordinates(
        found,
        *first,
        next(iter(resources), ""),
        told,
        tuple(word for word in _FIXES.values() if word in fixes),
        tuple(remedies),
    )


def _remedies(coordinate: Row) -> Iterator[str]:
    """What to do, for each way to do it; what a rule says of its result is no remedy."""
    for each in objects(coordinate.get("remedies")):
        kind, told = text(each.get("type")), text(each.get("description"))
        if told and kind != "rule_result_message":
            named = kind not in ("", "manual", "automated", "indeterminate")
            yield f"{kind}: {told}" if named else told


def _resource(place: Row) -> str:
    """What a cloud or a template calls the thing."""
    found = place.get("cloud_resource.resource")
    if not isinstance(found, dict):
        return ""
    resource = Row(found)
    named = text(resource.get("native_id")) or text(resource.get("name"))
    return " ".join(filter(None, (text(resource.get("resource_type")), named)))


def _ecosystem(problem: str) -> str:
    found = re.match(r"SNYK-([A-Z]+)-|([a-z]+):", problem)
    return _ECOSYSTEMS.get((found[1] or found[2]).lower(), "") if found else ""
