"""The vulnerability that Amazon Inspector and others found in a package: its names, scores, package and fix."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from packageurl import PackageURL

from tidegate_sdk import Row
from tidegate_sdk.fields import cut, cwes, line, links, objects, probability, score, text, texts, vulnerabilities

_TYPES = {
    "bundler": "gem", "cargo": "cargo", "composer": "composer", "dotnet_core": "nuget", "gemspec": "gem",
    "gobinary": "golang", "gomod": "golang", "jar": "maven", "nodepkg": "npm", "npm": "npm", "nuget": "nuget",
    "pip": "pypi", "pipenv": "pypi", "pnpm": "npm", "poetry": "pypi", "pom": "maven", "pythonpkg": "pypi",
    "uv": "pypi", "yarn": "npm",
}  # fmt: skip
"""The package managers that Inspector names, as types of package URLs. OS has none: which system, nobody says."""
_VECTOR = re.compile(r"(?:CVSS:[34]\.[01]/|\(?AV:)")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Package:
    """What a finding says of the first of its vulnerabilities and packages; the others stand in `listed`."""

    ids: tuple[str, ...] = ()
    cwe: tuple[int, ...] = ()
    cvss: tuple[str, ...] = ()
    score: float | None = None
    epss: float | None = None
    name: str = ""
    version: str = ""
    purl: str = ""
    fix: str = ""
    fixed_version: str = ""
    path: str = ""
    line: int | None = None
    references: tuple[str, ...] = ()
    listed: str = ""


_NOTHING = Package()


def package_of(row: Row) -> Package:
    """The `Vulnerabilities` of a finding."""
    found = objects(row.get("Vulnerabilities"))
    if not found:
        named = vulnerabilities(_title(row))
        return Package(ids=named) if named else _NOTHING
    packages = [package for each in found for package in objects(each.get("VulnerablePackages"))]
    scores = sorted((each for one in found for each in objects(one.get("Cvss"))), key=_version, reverse=True)
    code = [place for each in found for place in objects(each.get("CodeVulnerabilities"))]
    first, place = packages[0] if packages else Row(), code[0] if code else Row()
    chances = [chance for each in found if (chance := probability(each.get("EpssScore"))) is not None]
    names = (name for each in found for name in (text(each["Id"]), *texts(each.get("RelatedVulnerabilities"))))
    known = (name for name in names if name and "/" not in name)  # python/sql-injection@v1.0 is a detector of code
    return Package(
        ids=tuple(dict.fromkeys(known)) or vulnerabilities(_title(row)),
        cwe=cwes(*(each.get("Cwes") for each in code)),
        cvss=tuple(dict.fromkeys(each for one in scores if _VECTOR.match(each := text(one.get("BaseVector"))))),
        score=next((base for each in scores if (base := score(each.get("BaseScore"))) is not None), None),
        epss=max(chances, default=None),
        name=text(first.get("Name")),
        version=_whole_version(first),
        purl=_purl(first),
        fix=text(first.get("Remediation")),
        fixed_version=_fixed_version(first),
        path=text(place.get("FilePath.FilePath")) or text(first.get("FilePath")),
        line=line(place.get("FilePath.StartLine")),
        references=links(*(each.get(name) for each in found for name in ("ReferenceUrls", "Vendor.Url"))),
        listed="\n".join(_listed(package) for package in packages[1:_SHOWN]),
    )


def _title(row: Row) -> str:
    """The title of one that Inspector calls by its CVE, where it gives nothing else (`CVE-2022-3643 - kernel`)."""
    return text(row.get("Title")) if any("/CVE" in kind for kind in texts(row.get("Types"))) else ""


def _version(cvss: Row) -> str:
    return text(cvss.get("Version"))


def _whole_version(package: Row) -> str:
    """`1:2.34-5.el9`, as package managers write epoch, version and release."""
    epoch, version, release = (text(package.get(name)) for name in ("Epoch", "Version", "Release"))
    if not version:
        return ""
    return (f"{epoch}:" if epoch.strip("0") else "") + version + (f"-{release}" if release else "")


def _fixed_version(package: Row) -> str:
    told = text(package.get("FixedInVersion"))
    return "" if told.casefold() == "notavailable" else told


def _purl(package: Row) -> str:
    """The package URL; "" where its type or its name is none."""
    kind = _TYPES.get(text(package.get("PackageManager")).lower())
    name, version = text(package.get("Name")), text(package.get("Version"))
    return _written(kind, name, version) if kind else ""


@lru_cache(maxsize=2_000)
def _written(kind: str, name: str, version: str) -> str:
    """A package URL is dear to write, and one package has many weaknesses, in many places."""
    space, _, bare = name.replace(":", "/").rpartition("/")
    try:
        return PackageURL(kind, space or None, bare, version or None).to_string()
    except ValueError:
        return ""


def _listed(package: Row) -> str:
    """`also in jetty-util 8.1 (/opt/util.jar), fixed in 9.4`"""
    where, fixed = text(package.get("FilePath")), _fixed_version(package)
    told = f"also in {text(package.get('Name'))} {_whole_version(package)}".rstrip()
    return cut(told + (f" ({where})" if where else "") + (f", fixed in {fixed}" if fixed else ""), 500)


def evidence_of(row: Row, resources: list[Row], package: Package) -> str:
    """What it was found in, each with its type and region, why a check failed, and the other packages."""
    told = [_resource(each) for each in resources[:_SHOWN]]
    told += [_reason(each) for each in objects(row.get("Compliance.StatusReasons"))[:_SHOWN]]
    return "\n".join(filter(None, (*told, package.listed)))


def _resource(resource: Row) -> str:
    told = " ".join(filter(None, (text(resource.get("Type")), text(resource.get("Id")))))
    region = text(resource.get("Region"))
    return cut(f"{told} ({region})" if region else told, 2_000)


def _reason(reason: Row) -> str:
    told = (text(reason.get("ReasonCode")), text(reason.get("Description")))
    return cut(": ".join(filter(None, told)), 1_000)


def image_of(resources: list[Row]) -> str:
    """The first container image among the resources, as `repository:tag@digest`; its ARN where no more is said."""
    for resource in resources:
        if text(resource.get("Type")) == "AwsEcrContainerImage":
            details: Any = resource.get("Details.AwsEcrContainerImage")
            told = Row(details) if isinstance(details, dict) else Row()
            name, digest = text(told.get("RepositoryName")), text(told.get("ImageDigest"))
            tag = next(iter(texts(told.get("ImageTags"))), "")
            whole = name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
            return whole if name else text(resource.get("Id"))
    return ""
