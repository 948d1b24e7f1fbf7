"""The package that a result of SCA is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate_sdk import Row, identifier
from tidegate_sdk.fields import quoted, text

ECOSYSTEMS: Mapping[str, str] = {
    "maven": "maven", "gradle": "maven", "npm": "npm", "nuget": "nuget", "python": "pypi", "pip": "pypi",
    "go": "golang", "php": "composer", "composer": "composer", "ruby": "gem", "rust": "cargo", "cargo": "cargo",
    "cpp": "conan", "conan": "conan", "swift": "swift", "iosswift": "cocoapods", "cocoapods": "cocoapods",
}  # fmt: skip
"""What a package URL calls Checkmarx's package managers."""
_IDENTIFIER = re.compile(r"([A-Za-z]+)-(.+?)-(v?\d.*)")


@dataclass(frozen=True, slots=True)
class Package:
    """`id` is as Checkmarx writes it: `Maven-com.thoughtworks.xstream:xstream-1.4.5`."""

    id: str
    name: str
    version: str = ""
    manager: str = ""

    @property
    def purl(self) -> str:
        kind = ECOSYSTEMS.get(self.manager.lower(), "")
        if not kind or not self.name:
            return ""
        name = self.name.replace(":", "/") if kind == "maven" else self.name
        path = "/".join(quoted(part) for part in name.split("/") if part)
        return f"pkg:{kind}/{path}" + (f"@{quoted(self.version)}" if self.version else "")


def package_of(row: Row) -> Package:
    """The package of a row; raises VendorChanged where it names none."""
    told = row.get("data.packageIdentifier")
    if told is None:
        name, version = identifier(row, "data.packageName"), identifier(row, "data.packageVersion")
        return Package(f"{name}@{version}", name, version)
    key = identifier(row, "data.packageIdentifier")
    manager, _, rest = key.partition("-")
    name = _named(row, key)
    if name and rest.startswith(f"{name}-"):
        return Package(key, name, rest.removeprefix(f"{name}-"), manager)
    found = _IDENTIFIER.fullmatch(key)
    return Package(key, found[2], found[3], found[1]) if found else Package(key, key)


def _named(row: Row, key: str) -> str:
    """The name of a package that its own id does not tell apart from its version; the paths to it do."""
    paths: Any = row.get("data.scaPackageData.dependencyPaths")
    for path in paths if isinstance(paths, list) else []:
        for step in path if isinstance(path, list) else []:
            if isinstance(step, dict) and Row(step).get("id") == key:
                return text(Row(step).get("name"))
    return ""
