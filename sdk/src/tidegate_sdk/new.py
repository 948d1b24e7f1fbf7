"""`tidegate-sdk new NAME`: a package with a Tool that conforms to an invented vendor, and a list of what is left to do.

Within Tidegate's own repository, `./dev tool NAME` puts the same Tool where the built-in ones are.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path


class Refused(Exception):
    """Nothing was written; the message says why."""


def main(given: Sequence[str] | None = None) -> int:
    """The command; gives its exit code."""
    parser = argparse.ArgumentParser(prog="tidegate-sdk", description="Writes the beginning of a Tool for Tidegate.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    new = verbs.add_parser("new", help="a package of your own, with entry point and tests")
    new.add_argument("name", help='what people call the vendor\'s tool: "Acme Scanner"')
    new.add_argument("--into", type=Path, help="the folder to make; tidegate-NAME by default")
    new.add_argument("--in-tree", type=Path, metavar="ROOT", help=argparse.SUPPRESS)
    asked = parser.parse_args(given)
    try:
        words = named(asked.name, asked.in_tree is not None)
        root = asked.in_tree or asked.into or Path(f"tidegate-{words['__dashed__']}")
        written = write_into_tree(words, root) if asked.in_tree else write_package(words, root)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2
    print("\n".join(["Written:", *(f"  {path}" for path in written), ""]))
    print(f"Now: pytest {root / 'tests/connectors' / words['__slug__'] if asked.in_tree else root}")
    return 0


def named(name: str, in_tree: bool = False) -> dict[str, str]:
    """What stands in the templates, and what stands there instead. Raises Refused where no module can be called so."""
    spoken = re.findall(r"[A-Za-z0-9]+", name)
    slug = "_".join(spoken).lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", slug):
        raise Refused(f"{name!r} gives no name for a Tool: begin with a letter, as in Acme.")
    return {
        "__slug__": slug,
        "__dashed__": slug.replace("_", "-"),
        "__Class__": "".join(word[:1].upper() + word[1:] for word in spoken),
        "__Name__": " ".join(name.split()) if " " in name.strip() or name != slug else spoken[0].capitalize(),
        "__module__": f"tidegate.connectors.{slug}" if in_tree else f"tidegate_{slug}",
    }


def write_package(words: Mapping[str, str], root: Path) -> list[Path]:
    """A package of a third party. Raises Refused where something lies there already."""
    if root.exists() and any(root.iterdir()):
        raise Refused(f"{root} is not empty. Choose another folder: --into FOLDER")
    module = root / "src" / words["__module__"]
    return [
        _write(root / "pyproject.toml", "pyproject.toml", words),
        _write(root / "README.md", "README.md", words),
        *_write_tool(module, words),
        _write(root / "tests" / f"test_{words['__slug__']}.py", "test_tool.py", words),
    ]


def write_into_tree(words: Mapping[str, str], root: Path) -> list[Path]:
    """A Tool of Tidegate's own repository, with its line in the catalog. Raises Refused where there is one."""
    slug = words["__slug__"]
    folder, catalog = root / "src/tidegate/connectors" / slug, root / "src/tidegate/catalog.py"
    if folder.exists():
        raise Refused(f"{folder} is there already.")
    _enter(catalog, slug, words["__Class__"])
    return [
        *_write_tool(folder, words),
        _write(root / "tests/connectors" / slug / f"test_{slug}.py", "test_tool.py", words),
        _write(root / "docs/guide" / f"{slug}.md", "guide.md", words),
        catalog,
    ]


def _write_tool(folder: Path, words: Mapping[str, str]) -> list[Path]:
    fixtures = folder / "fixtures"
    about = f"{words['__Name__']}: everything about this Tool; NOTES.md says where its facts come from."
    says = {folder: about, fixtures: f"{words['__Name__']} as its documentation shows it."}
    for place, line in says.items():
        place.mkdir(parents=True)
        (place / "__init__.py").write_text(f'"""{line}"""\n', encoding="utf-8")
    return [
        *(place / "__init__.py" for place in says),
        _write(folder / "connector.py", "connector.py", words),
        _write(folder / "NOTES.md", "NOTES.md", words),
        _write(fixtures / "world.py", "world.py", words),
        _write(fixtures / "vendor.json", "vendor.json", words),
    ]


def _write(path: Path, template: str, words: Mapping[str, str]) -> Path:
    text = (files("tidegate_sdk") / "scaffold" / f"{template}.txt").read_text(encoding="utf-8")
    for word, instead in words.items():
        text = text.replace(word, instead)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _enter(catalog: Path, slug: str, kind: str) -> None:
    """The line of the Tool in the catalog, where it belongs by its slug."""
    text = catalog.read_text(encoding="utf-8")
    found = re.search(r"(BUILT_IN = \{\n)(.*?)(^\})", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise Refused(f"{catalog} has no BUILT_IN. Is this the root of Tidegate's repository?")
    lines = [*found[2].splitlines(), f'    "{slug}": "tidegate.connectors.{slug}.connector:{kind}",']
    entered = "".join(f"{line}\n" for line in sorted(lines))
    catalog.write_text(text[: found.start(2)] + entered + text[found.end(2) :], encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
