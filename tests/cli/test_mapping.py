"""`tidegate rule`, `mapping` and `suggestion`, and the guide about them: its commands are run as they stand there."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_guide import ROOT, commands
from tests.cli.test_json import has_shape
from tidegate.cli.answer import answers


def test_every_command_of_the_guide_works_as_it_stands_there(shop: Any):
    found = commands(ROOT / "docs" / "guide" / "mapping.md")

    assert len(found) >= 8
    for program, *arguments in found:
        ran = shop(*arguments)
        assert (program, ran.code) == ("tidegate", 0), f"{arguments}: {ran.out}{ran.err}"


def test_rules_decide_at_the_next_discover_and_their_step_is_undone(shop: Any):
    shop("rule", "add", "Burp", "--name", "legacy*", "--ignore", "--because", "Old")
    tried = shop("rule", "try", "Burp").out

    shop("discover", "Burp")

    record = shop.json("record", "show", "Legacy Intranet")
    assert "Tried on 4 Records; nothing was saved." in tried
    assert "Rule 1, «legacy*», ignores it: Old." in " ".join(tried.split())
    assert record["record"]["why"].startswith("Ignored by rule 1, «legacy*» on")
    assert shop("record", "undo", "Legacy Intranet").code == 0


def test_rules_are_entered_one_by_one_and_wrong_ones_say_why(shop: Any):
    added = shop.json("rule", "add", "Burp", "--name", "a*", "--product", "Web shop")
    edited = shop.json("rule", "edit", "Burp", "1", "--attribute", "team=pay*", "--regex", "--case")

    assert added["rules"][0]["words"] == "«a*» maps it to «Web shop»."
    assert (
        edited["rules"][0]["words"] == "«team = pay*», as a regular expression, capitals matter, maps it to «Web shop»."
    )
    for arguments, said in (
        (("add", "Burp", "--name", "(", "--regex", "--ignore"), "at character 1: ("),
        (("add", "Burp", "--ignore"), "What does the rule match?"),
        (("add", "Burp", "--name", "a", "--parent", "b", "--ignore"), "several were named"),
        (("add", "Burp", "--name", "a", "--ignore", "--template", "{name}"), "several were named"),
        (("add", "Burp", "--attribute", "team", "--ignore"), "no attribute with a pattern"),
        (("add", "Burp", "--name", "a"), "not clear what the rule answers"),
        (("edit", "Burp", "1"), "Nothing to change"),
        (("delete", "Burp", "9"), "has no rule 9; it has 1"),
    ):
        ran = shop("rule", *arguments)
        assert ran.code in (1, 2)
        assert said in " ".join(ran.err.split()), ran.err


def test_again_decides_anew_at_once_and_is_undone(shop: Any):
    shop("rule", "add", "Burp", "--name", "legacy*", "--ignore")
    shop("discover", "Burp")

    ran = shop("rule", "edit", "Burp", "1", "--template", "Old {name}", "--again")

    assert "1 products made, 1 mapped by rules." in ran.out
    assert shop.json("record", "show", "Legacy Intranet")["record"]["product"] == "Old Legacy Intranet"
    assert shop(*ran.out.splitlines()[-1].partition("tidegate ")[2].split()).code == 0


def test_mappings_go_out_and_come_in_again(shop: Any, tmp_path: Path):
    file = tmp_path / "mappings.csv"
    file.write_text(shop("mapping", "export").out, newline="")
    assert "0 decided, 4 unchanged, 0 wrong." in shop("mapping", "import", file).out
    rows = list(csv.DictReader(io.StringIO(shop("mapping", "export", "Burp").out, newline="")))
    line = next(row for row in rows if row["name"] == "Legacy Intranet")
    text = "connection;vendor_id;decision;reason\n" + f"Burp;{line['vendor_id']};ignored;Old\nBurp;nope;new;\n"

    preview = shop("mapping", "import", "-", "--preview", stdin=text)
    done = shop("mapping", "import", "-", stdin=text)

    assert (preview.code, done.code) == (3, 3)
    assert "Line 2: Would be ignored." in preview.out
    assert "Line 3: «Burp» has no Record of the id «nope»." in done.err
    assert shop.json("record", "show", "Legacy Intranet")["record"]["state"] == "Ignored"
    assert shop("mapping", "import", tmp_path / "none.csv").code == 1


@pytest.mark.parametrize(
    "command",
    [
        ("rule", "list", "Burp"),
        ("rule", "add", "Burp", "--name", "a", "--ignore"),
        ("rule", "try", "Burp", "--name", "*", "--template", "{name}"),
        ("mapping", "export"),
        ("mapping", "import", "-"),
        ("suggestion", "list"),
        ("suggestion", "dismiss", "Storefront", "Legacy Intranet"),
    ],
)
def test_answers_have_their_documented_shapes(shop: Any, command: tuple[str, ...]):
    stdin = shop("mapping", "export").out.replace(",new,", ",ignored,")

    assert has_shape(shop.json(*command, stdin=stdin), answers()[" ".join(command[:2])])


def test_only_what_is_missing_can_be_the_same_as_what_is_new(shop: Any):
    ran = shop("suggestion", "accept", "Storefront", "Legacy Intranet")

    assert "Storefront is not Missing." in ran.err
    assert "looks like anything new" in shop("suggestion", "list").out
