"""The folder itself, through the real Session: Records, which report is the state, and what never leaves the root."""

import gzip
import io
import os
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.connectors.report_folder.reading import bom, families, fixture, generic, read, result, sarif, tool, veps
from tidegate.connectors.report_folder.connector import ReportFolderSettings, State, as_of, newest
from tidegate_sdk import NO_PRODUCT, Family, Finding, NotFound, Odd, Skipped, VendorDown, Vep

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def put(path: Path, data: bytes, modified: datetime = NOON) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (modified.timestamp(), modified.timestamp()))


def ended(at: datetime | str, *rules: str, name: str = "Tool", **run: Any) -> bytes:
    """A report of this tool that ended then."""
    when = at if isinstance(at, str) else at.isoformat()
    return sarif(*[result(rule) for rule in rules], tool=name, invocations=[{"endTimeUtc": when}], **run)


async def rules_of(root: Path, family: str = "Tool") -> list[str]:
    found, _ = (await read(root, "svc"))[family]
    return [each.rule for each in found if isinstance(each, Finding)]


async def marks(root: Path) -> dict[str, str]:
    return {each.name: each.mark for each in await families(root, "svc") if isinstance(each, Family)}


async def told(root: Path, vep: str = "svc") -> dict[str, str]:
    return {each.family: each.because for each in await families(root, vep) if isinstance(each, Skipped)}


# Records


async def test_each_folder_is_a_record_and_reports_in_the_root_belong_to_no_product(tmp_path: Path):
    for name in ("shop/a.sarif", "empty/.keep", ".hidden/a.sarif", "a.sarif", "b.sarif", "README"):
        put(tmp_path / name, sarif())

    found, outcome = await veps(tmp_path)

    assert [(vep.id, vep.name) for vep in found] == [
        (NO_PRODUCT, "(no product)"),
        ("empty", "empty"),
        ("shop", "shop"),
    ]
    assert outcome.complete


async def test_a_folder_called_like_the_home_of_what_has_no_product_is_a_record_of_its_own(tmp_path: Path):
    put(tmp_path / "(no product)/a.sarif", sarif(tool="Inside"))
    put(tmp_path / "a.sarif", sarif(tool="Root"))

    folder, home = (await veps(tmp_path))[0]

    assert (home.id, home.name, folder.name) == (NO_PRODUCT, "(no product)", "(no product)")
    assert list(await read(tmp_path, home.id)) == ["Root"]
    assert list(await read(tmp_path, folder.id)) == ["Inside"]


async def test_without_a_report_in_the_root_there_is_no_record_for_it(tmp_path: Path):
    put(tmp_path / "shop/a.sarif", sarif())
    put(tmp_path / "notes.txt", b"hello")

    assert [vep.id for vep in (await veps(tmp_path))[0]] == ["shop"]


async def test_the_account_is_the_root(tmp_path: Path):
    async with tool(tmp_path).open() as session:
        account = await session.talk(session.tool.account())

    assert account.id == str(tmp_path)


async def test_a_root_that_is_not_there_says_what_to_do(tmp_path: Path):
    async with tool(tmp_path / "nowhere").open() as session:
        with pytest.raises(VendorDown, match="does not exist"):
            await session.talk(session.tool.account())


async def test_a_record_whose_folder_is_gone_is_not_an_empty_one(tmp_path: Path):
    with pytest.raises(NotFound):
        await families(tmp_path, "gone")


async def test_reports_lie_at_any_depth_up_to_eight_and_those_of_the_root_only_in_it(tmp_path: Path):
    put(tmp_path / "svc/1/2/3/4/5/6/7/deep.sarif", sarif(tool="Deep"))
    put(tmp_path / "svc/1/2/3/4/5/6/7/8/deeper.sarif", sarif(tool="Deeper"))
    put(tmp_path / "top.sarif", sarif(tool="Top"))

    assert list(await read(tmp_path, "svc")) == ["Deep"]
    assert list(await read(tmp_path, NO_PRODUCT)) == ["Top"]


async def test_folders_that_are_too_deep_are_told(tmp_path: Path):
    put(tmp_path / "svc/1/2/3/4/5/6/7/9/a.sarif", sarif())
    put(tmp_path / "svc/1/2/3/4/5/6/7/8/a.sarif", sarif())
    put(tmp_path / "a.sarif", sarif())

    sentence = "svc/1/2/3/4/5/6/7/8/ and 1 more: more than eight folders deep, where nothing is read."
    assert await told(tmp_path) == {"svc/1/2/3/4/5/6/7/8/": sentence}
    assert await told(tmp_path, NO_PRODUCT) == {}


@pytest.mark.parametrize("path", ["reports", "./reports", "~/reports", "", "/srv/\0"])
def test_a_path_that_is_not_absolute_is_refused(path: str):
    with pytest.raises(ValidationError):
        ReportFolderSettings(path=path)


# Which report is the state


async def test_the_newest_report_of_each_producer_is_the_state(tmp_path: Path):
    put(tmp_path / "svc/old.sarif", ended(NOON - 3 * HOUR, "OLD"), NOON)
    put(tmp_path / "svc/new.sarif", ended(NOON - 2 * HOUR, "NEW"), NOON - HOUR)
    put(tmp_path / "svc/other.sarif", ended(NOON - 5 * HOUR, "OTHER", name="Second"), NOON)

    assert await rules_of(tmp_path) == ["NEW"]
    assert await rules_of(tmp_path, "Second") == ["OTHER"]


async def test_without_an_end_time_the_files_own_counts(tmp_path: Path):
    put(tmp_path / "svc/a.sarif", sarif(result("NEW")), NOON)
    put(tmp_path / "svc/b.sarif", sarif(result("OLD")), NOON - HOUR)

    assert await rules_of(tmp_path) == ["NEW"]
    assert await marks(tmp_path) == {"Tool": "2026-05-01T12:00:00.000000Z"}


async def test_the_mark_is_the_reports_end_in_utc(tmp_path: Path):
    put(tmp_path / "svc/a.sarif", ended("2026-05-01T13:30:00+02:00"), NOON)

    assert await marks(tmp_path) == {"Tool": "2026-05-01T11:30:00.000000Z"}


async def test_a_report_from_the_future_counts_as_of_its_file(tmp_path: Path):
    put(tmp_path / "svc/future.sarif", ended("2199-01-01T00:00:00Z", "FUTURE"), NOON - HOUR)
    put(tmp_path / "svc/now.sarif", ended(NOON - HOUR / 2, "NOW"), NOON)

    assert await rules_of(tmp_path) == ["NOW"]


async def test_of_two_reports_as_new_as_each_other_the_later_name_counts(tmp_path: Path):
    for name in ("b", "c", "a"):
        put(tmp_path / f"svc/{name}.sarif", ended(NOON - HOUR, name.upper()))

    assert await rules_of(tmp_path) == ["C"]


async def test_categories_and_formats_of_one_tool_are_families_of_their_own(tmp_path: Path):
    put(tmp_path / "svc/a.sarif", ended(NOON, "A", automationDetails={"id": "linux/1"}))
    put(tmp_path / "svc/b.sarif", ended(NOON, "B", automationDetails={"id": "mac/1"}))
    put(tmp_path / "svc/c.json", bom(metadata={"tools": [{"name": "Tool"}]}))
    put(tmp_path / "svc/d.json", generic())

    assert sorted(await marks(tmp_path)) == ["Tool (CycloneDX)", "Tool (generic)", "Tool/linux", "Tool/mac"]


async def test_a_newest_report_that_is_cut_proves_nothing_and_the_older_one_does_not_count(tmp_path: Path):
    put(tmp_path / "svc/old.sarif", ended(NOON - HOUR, "OLD"), NOON - HOUR)
    put(tmp_path / "svc/new.sarif", ended(NOON, "NEW", "CUT")[:-150], NOON)

    found, outcome = (await read(tmp_path, "svc"))["Tool"]

    assert "OLD" not in [each.rule for each in found if isinstance(each, Finding)]
    assert not outcome.complete
    assert "svc/new.sarif" in outcome.why
    assert "cut or still being written" in outcome.why


async def test_a_cut_report_whose_family_no_whole_one_confirms_is_told_and_not_read(tmp_path: Path):
    put(tmp_path / "svc/new.sarif", ended(NOON, "NEW")[:-150])

    assert await read(tmp_path, "svc") == {}
    assert "cut or still being written" in (await told(tmp_path))["svc/new.sarif"]


async def test_a_cut_report_that_does_not_name_its_tool_leaves_the_older_state(tmp_path: Path):
    put(tmp_path / "svc/old.sarif", ended(NOON - HOUR, "OLD"), NOON - HOUR)
    put(tmp_path / "svc/new.sarif", b'{"runs": [{"results": [', NOON)

    assert await rules_of(tmp_path) == ["OLD"]
    assert "does not name its tool" in (await told(tmp_path))["svc/new.sarif"]


async def test_a_report_that_does_not_claim_to_be_whole_proves_nothing(tmp_path: Path):
    put(tmp_path / "svc/a.sarif", sarif(result(), invocations=[{"executionSuccessful": False}]))

    _, outcome = (await read(tmp_path, "svc"))["Tool"]

    assert not outcome.complete
    assert "did not succeed" in outcome.why


async def test_an_odd_result_with_an_identity_is_set_aside_and_without_one_nothing_is_proven(tmp_path: Path):
    """records.md: one odd item is set aside; without a readable id its Family of that VEP closes nothing."""
    put(tmp_path / "svc/a.json", generic({"title": "Bad", "severity": "Low", "false_p": "perhaps"}))
    put(tmp_path / "svc/b.sarif", sarif(result("R1", ruleId=7), result("R2")))

    odd, named = (await read(tmp_path, "svc"))["Tool (generic)"]
    mixed, nameless = (await read(tmp_path, "svc"))["Tool"]

    assert isinstance(odd[0], Odd)
    assert odd[0].id
    assert named.complete
    assert [type(each) for each in mixed] == [Odd, Finding]
    assert not nameless.complete


# What else lies in a folder


async def test_what_is_no_report_is_told_where_its_name_promises_one(tmp_path: Path):
    for name in ("empty.json", "notes.json", "data", "README.md", "half.json.part", ".dot.json", "x.tmp"):
        put(tmp_path / f"svc/{name}", b"" if name == "empty.json" else b"hello")

    found = await told(tmp_path)

    assert set(found) == {"svc/empty.json", "svc/notes.json"}
    assert found["svc/notes.json"].startswith("svc/notes.json is neither JSON nor XML.")


@pytest.mark.parametrize("name", ["a.sarif.gz", "a.zip", "reports"])
async def test_a_compressed_report_is_told_whatever_its_name(tmp_path: Path, name: str):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.sarif", sarif())
    put(tmp_path / "svc" / name, gzip.compress(sarif()) if name.endswith("gz") else packed.getvalue())

    assert "is compressed" in (await told(tmp_path))[f"svc/{name}"]


async def test_a_hostile_file_name_moves_no_cursor_where_it_is_told(tmp_path: Path):
    put(tmp_path / "svc/a\x1b[2J\n\u202eb.sarif", b"")
    put(tmp_path / "svc/b\x1b[2J.sarif", ended(NOON, "NEW")[:-150])
    put(tmp_path / "svc/c\x1b[2J.sarif", sarif(result(), invocations=[{"executionSuccessful": False}], tool="Third"))

    sentences = [*(await told(tmp_path)).items(), *(await read(tmp_path, "svc"))["Third"][1].why]

    assert len(await told(tmp_path)) == 2
    assert not set("\x1b\n\u202e") & set("".join(map("".join, sentences)))


async def test_a_report_is_known_by_its_content_whatever_its_name(tmp_path: Path):
    put(tmp_path / "svc/results", sarif(result()))

    assert list(await read(tmp_path, "svc")) == ["Tool"]


async def test_a_file_that_may_not_be_read_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put(tmp_path / "svc/a.sarif", sarif(result()))
    put(tmp_path / "svc/locked.sarif", sarif())
    opened = os.open

    def refusing(path: object, *more: object, **how: object) -> int:
        if path == "locked.sarif":
            raise PermissionError(13, "Permission denied")
        return opened(path, *more, **how)  # pyright: ignore[reportArgumentType, reportCallIssue]

    monkeypatch.setattr(os, "open", refusing)

    assert list(await read(tmp_path, "svc")) == ["Tool"]
    assert "may not be read" in (await told(tmp_path))["svc/locked.sarif"]


async def test_links_are_not_followed(tmp_path: Path):
    root = tmp_path / "root"
    put(tmp_path / "outside/secret.sarif", sarif(result("SECRET"), tool="Secret"))
    put(root / "svc/a.sarif", sarif(result()))
    (root / "svc/link.sarif").symlink_to(tmp_path / "outside/secret.sarif")
    (root / "svc/folder").symlink_to(tmp_path / "outside")
    (root / "linked").symlink_to(tmp_path / "outside")

    assert [vep.id for vep in (await veps(root))[0]] == ["svc"]
    assert list(await read(root, "svc")) == ["Tool"]


@pytest.mark.parametrize("vep", ["..", "../outside", "svc/../../outside", "/etc", "linked"])
async def test_a_record_never_leads_out_of_the_root(tmp_path: Path, vep: str):
    root = tmp_path / "root"
    put(tmp_path / "outside/secret.sarif", sarif(result("SECRET")))
    put(root / "svc/a.sarif", sarif())
    (root / "linked").symlink_to(tmp_path / "outside")
    async with tool(root).open() as session:
        with pytest.raises(Exception, match=r"leaves the folder|is a link"):
            [each async for each in session.families(Vep(id=vep, name=vep))]


async def test_folders_and_files_with_odd_names_are_read(tmp_path: Path):
    put(tmp_path / "my svc #1 ü/a b?.sarif", sarif(result()))
    put(tmp_path / os.fsdecode(b"caf\xe9/r\xe9port.sarif"), sarif(result()))

    found, outcome = await veps(tmp_path)

    assert outcome.complete
    assert len(found) == 2
    for vep in found:
        assert list(await read(tmp_path, vep.id)) == ["Tool"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (sarif(result()), sarif(result(), tool="Other")),
        (bom({"id": "CVE-2026-1"}), bom({"id": "CVE-2026-2"}, metadata={"tools": [{"name": "other"}]})),
        (generic({"title": "A", "severity": "Low"}), generic({"title": "B", "severity": "Low"}, type="Other")),
        (sarif(result()), generic()),
    ],
    ids=["SARIF", "CycloneDX", "generic", "another format"],
)
async def test_a_report_that_is_replaced_between_look_and_read_proves_nothing(
    tmp_path: Path, before: bytes, after: bytes
):
    put(tmp_path / "svc/a.json", before)
    async with tool(tmp_path).open() as session:
        (family,) = [each async for each in session.families(Vep(id="svc", name="svc")) if isinstance(each, Family)]
        put(tmp_path / "svc/a.json", after)
        reading = session.read(family.list)
        async for _ in reading:
            pass

    assert not reading.outcome.complete
    assert "replaced" in reading.outcome.why


async def test_all_three_formats_flow_through_the_session(tmp_path: Path):
    for name in ("rules-behind-results.sarif", "vex-1.6.json", "extension-1.2.xml", "generic.json"):
        put(tmp_path / "svc" / name, fixture(name))

    found = await read(tmp_path, "svc")

    assert {family: len(rows) for family, (rows, _) in found.items()} == {
        "Cipher Scan (generic)": 6,
        "PyCheck/nightly/linux": 3,
        "oldscan (CycloneDX)": 2,
        "scanner (CycloneDX)/registry.example.org:5000/shop": 5,
    }


# The choice alone


def state(family: str = "T", file: str = "a", hours: int = 0, *, cut: bool = False) -> State:
    return State(family, file, "sarif", NOON + hours * HOUR, cut=cut)


def test_the_choice_does_not_depend_on_the_order_of_the_files():
    states = [state(file="a"), state(file="b", hours=1), state("U", "c"), state("U", "d")]

    assert newest(states) == newest(reversed(states)) == [states[1], states[3]]


def test_a_cut_report_is_chosen_only_where_a_whole_one_names_its_family():
    assert newest([state(), state(file="b", hours=1, cut=True)]) == [state(file="b", hours=1, cut=True)]
    assert newest([state(hours=1), state(file="b", cut=True)]) == [state(hours=1)]
    assert newest([state(cut=True)]) == []


def test_a_report_is_never_newer_than_its_file():
    assert as_of(NOON + HOUR, NOON) == NOON
    assert as_of(NOON - HOUR, NOON) == NOON - HOUR
    assert as_of(None, NOON) == NOON
