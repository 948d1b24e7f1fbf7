"""BurpSuite through the real Session against the fake Burp: promises.md, *Vendor faults*, over loopback."""

import datetime
import ssl
from collections.abc import Iterator

import pytest
import trustme

from tests.connectors.burpsuite.reading import HASTY, PATIENT, Read, read, tool
from tidegate.demo.fake_burp import FakeBurp
from tidegate.demo.faults import BODY, FAULTS, RECOVERED
from tidegate_sdk import AuthRejected, Family, Vep, Verdict

LISTS = ("folders", "sites", "scans", "issues")
NOT_COUNTED = {"half a page", "a row too few", "no rows"}
"""Lies that only a declared total uncovers, and Burp declares one for issues alone."""
SLOW = {"silence in the body", "one byte a second"}
ONE_FIELD = {name for name in BODY if "text" in name or "word" in name}


@pytest.fixture
def burp() -> Iterator[FakeBurp]:
    with FakeBurp() as burp:
        yield burp


@pytest.fixture
def small() -> Iterator[FakeBurp]:
    """Two pages of issues on one site, a few on another."""
    with FakeBurp("empty") as burp:
        folder = burp.control.add_folder("Retail")
        burp.control.add_site("Storefront", folder, issues=103)
        burp.control.add_site("Storefront API", None, issues=3)
        yield burp


def breaks_the_law(healthy: Read, struck: Read, fault: str) -> list[str]:
    """What is wrong: complete and another result than without the fault."""
    assert healthy.listed
    assert struck.listed
    odd = {each.id for each in struck.odd}
    lost_sites = (
        struck.listed.complete and "sites" not in struck.twice and not healthy.veps.keys() <= struck.veps.keys() | odd
    )
    problems = ["complete, and sites are lost"] if lost_sites else []
    for site, outcome in struck.outcomes.items():
        found, known = struck.findings[site], healthy.findings[site]
        if not outcome.complete or site in struck.twice:
            continue
        problems += [] if known.keys() <= found.keys() | odd else [f"complete, and findings of {site} are lost"]
        others = [key for key in found if found[key] != known.get(key)]
        problems += [f"complete, and {key} is another" for key in others[: 0 if fault in ONE_FIELD else None]]
    return problems


async def test_a_healthy_burp_is_read_whole(burp: FakeBurp):
    found = await read(tool(burp))

    assert found.errors == []
    assert found.listed
    assert found.listed.complete
    assert [vep.name for vep in found.veps.values()] == [
        "Storefront",
        "Storefront API",
        "Partner Portal",
        "Legacy Intranet",
    ]
    assert [len(findings) for findings in found.findings.values()] == [120, 18, 27, 12]
    assert all(outcome.complete for outcome in found.outcomes.values())


async def test_pages_drift_and_one_page_is_whole(burp: FakeBurp):
    found = await read(tool(burp))

    kinds = [outcome.proof.kind for outcome in found.outcomes.values() if outcome.proof]
    assert kinds == ["drifting", "whole", "whole", "whole"]


HIDDEN = "a row hidden between pages"
STRIKES = [
    (fault, list)
    for number, fault in enumerate(FAULTS)
    for list in (LISTS[number % 3], "issues")
    if fault != HIDDEN and (list == "issues" or fault not in NOT_COUNTED)
]
"""Each fault strikes the issues, and one of the three lists before them; the conformance suite plays each at all."""


@pytest.mark.parametrize(("fault", "list"), STRIKES)
async def test_under_any_fault_the_same_comes_or_it_is_not_complete(small: FakeBurp, fault: str, list: str):
    healthy = await read(tool(small))
    small.control.strike(fault, list)

    struck = await read(tool(small), limits=HASTY if fault in SLOW else PATIENT)

    assert breaks_the_law(healthy, struck, fault) == []
    if fault in RECOVERED:
        assert struck.errors == []
        assert struck.findings == healthy.findings
        assert all(outcome.complete for outcome in struck.outcomes.values())
    assert small.api_key not in struck.said
    small.control.calm()
    again = await read(tool(small))
    assert (again.veps, again.findings, again.errors) == (healthy.veps, healthy.findings, [])


async def test_a_row_hidden_between_pages_is_why_pages_drift(small: FakeBurp):
    """promises.md: a live row can hide while totals agree; so the proof says *drifting*, and ingest reads twice."""
    healthy = await read(tool(small))
    small.control.strike(HIDDEN, "issues", "Storefront")

    struck = await read(tool(small))

    site = small.control.site("Storefront").id
    assert len(healthy.findings[site].keys() - struck.findings[site].keys()) == 1
    assert struck.outcomes[site].proof is not None
    assert struck.outcomes[site].proof.kind == "drifting"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "fault", ["500", "503", "reset", "401", "403", "error object", "login page", "silence in the body"]
)
async def test_a_vendor_that_stays_broken_is_never_believed(burp: FakeBurp, fault: str):
    burp.control.strike(fault, times=None)

    found = await read(tool(burp), limits=HASTY if fault in SLOW else PATIENT)

    assert found.listed
    assert not found.listed.complete
    assert found.findings == {}
    assert found.errors


async def test_half_a_page_proves_nothing_and_says_what_is_missing(burp: FakeBurp):
    burp.control.half_a_page("Storefront API")

    found = await read(tool(burp))

    storefront_api = found.outcomes[burp.control.site("Storefront API").id]
    assert not storefront_api.complete
    assert "counts 18 issues and listed 9" in storefront_api.why
    assert sum(outcome.complete for outcome in found.outcomes.values()) == 3


async def test_a_smaller_page_is_followed_to_the_end(burp: FakeBurp):
    burp.control.strike("a smaller page than asked for", "issues")

    found = await read(tool(burp))

    assert len(found.of("Storefront")) == 120
    assert all(outcome.complete for outcome in found.outcomes.values())


# Meaning


async def test_a_scan_still_running_or_failed_does_not_count(burp: FakeBurp):
    before = await read(tool(burp))
    for status in ("running", "queued", "paused", "cancelled", "failed"):
        burp.control.run_scan("Storefront", status)

    after = await read(tool(burp))

    assert after.findings == before.findings
    assert after.marks == before.marks


async def test_a_fixed_issue_is_gone_with_the_next_completed_scan(burp: FakeBurp):
    before = await read(tool(burp))
    burp.control.fix_issue("Storefront API", 2)

    after = await read(tool(burp))

    assert len(after.of("Storefront API")) == 16
    assert after.of("Storefront API").items() <= before.of("Storefront API").items()
    site = burp.control.site("Storefront API").id
    assert after.outcomes[site].complete
    assert after.marks[site] > before.marks[site]


async def test_a_new_scan_that_finds_the_same_changes_no_finding(burp: FakeBurp):
    """Serial numbers are others then; identity and every field stay."""
    before = await read(tool(burp))
    burp.control.rescan("Storefront")

    assert (await read(tool(burp))).findings == before.findings


async def test_a_changed_issue_keeps_its_identity(burp: FakeBurp):
    before = await read(tool(burp))
    burp.control.change_issue("Storefront API", 1, severity="low")

    after = await read(tool(burp))

    assert after.of("Storefront API").keys() == before.of("Storefront API").keys()
    assert sum(after.of("Storefront API")[key] != found for key, found in before.of("Storefront API").items()) == 1


async def test_what_people_marked_in_burp_comes_with_its_reason(burp: FakeBurp):
    found = await read(tool(burp))

    (false,) = [each for each in found.of("Storefront API").values() if each.verdict is Verdict.FALSE_POSITIVE]
    (accepted,) = [each for each in found.of("Partner Portal").values() if each.verdict is Verdict.ACCEPTED]
    assert false.vendor_reason == "The header is set by the proxy. · amy"
    assert accepted.vendor_reason == "Accepted until the move in spring. · amy"


async def test_false_positives_that_burp_does_not_count_are_read_too(burp: FakeBurp):
    burp.control.world.counts_marked = False

    found = await read(tool(burp))

    assert len(found.of("Storefront API")) == 18
    assert found.outcomes[burp.control.site("Storefront API").id].complete


async def test_a_site_renamed_and_moved_is_the_same_site(burp: FakeBurp):
    """records.md: a known VEP renamed or moved: name and attributes follow."""
    site = burp.control.site("Storefront").id
    burp.control.rename_site("Storefront", "Shop")
    burp.control.move_site("Shop", "Partners")

    found = await read(tool(burp))

    assert found.veps[site].name == "Shop"
    assert found.veps[site].attributes["folder"] == "Partners"
    assert len(found.findings[site]) == 120


async def test_two_sites_of_one_name_are_two(burp: FakeBurp):
    other = burp.control.add_site("Storefront", "Partners", issues=3)

    found = await read(tool(burp))

    assert len(found.findings[other]) == 3
    assert [vep.name for vep in found.veps.values()].count("Storefront") == 2


async def test_a_site_gone_between_the_list_and_its_fetch_closes_nothing(burp: FakeBurp):
    gone = burp.control.site("Partner Portal").id

    found = await read(tool(burp), between=lambda: burp.control.delete_site("Partner Portal"))

    assert gone not in found.findings
    assert found.skipped[gone] == "No scan of this site has completed yet."


async def test_a_scan_deleted_while_it_is_read_closes_nothing(burp: FakeBurp):
    site = burp.control.site("Storefront").id
    burpsuite = tool(burp)
    async with burpsuite.open() as session:
        (family,) = [family async for family in session.families(Vep(id=site, name="Storefront"))]
        assert isinstance(family, Family)
        listing = session.read(family.list)
        first = await anext(aiter(listing))
        burp.control.delete_scan(burp.control.latest(site).id)
        rest = [batch async for batch in listing]

    assert len(first) == 100
    assert rest == []
    assert not listing.outcome.complete


async def test_a_site_that_was_never_scanned_is_skipped(burp: FakeBurp):
    new = burp.control.add_site("Brand new")
    burp.control.run_scan("Brand new", "running")

    found = await read(tool(burp))

    assert found.skipped == {new: "No scan of this site has completed yet."}


async def test_a_token_that_lost_its_rights_sees_nothing_and_says_so(burp: FakeBurp):
    """promises.md: *A collapse is held, not believed*; here the list is empty and honest, the Operation holds it."""
    burp.control.show_only()

    found = await read(tool(burp))

    assert found.listed
    assert found.listed.seen == 0
    assert found.errors == []


async def test_rights_lost_half_way_close_nothing(burp: FakeBurp):
    found = await read(tool(burp), between=lambda: burp.control.show_only("Storefront"))

    assert len(found.findings) == 1
    assert len(found.skipped) == 3


async def test_a_key_that_expires_half_way_is_told_as_that(burp: FakeBurp):
    burp.control.strike("401", at=6, times=None)

    found = await read(tool(burp))

    assert found.listed
    assert found.listed.complete
    assert any(isinstance(error, AuthRejected) for error in found.errors)
    assert len(found.findings) < 4


async def test_a_site_whose_id_is_used_again_is_that_record_with_other_findings(burp: FakeBurp):
    before = await read(tool(burp))
    gone = burp.control.site("Legacy Intranet").id
    burp.control.delete_site("Legacy Intranet")
    burp.control.add_site("Something else", id=gone, issues=2)

    after = await read(tool(burp))

    assert after.veps[gone].name == "Something else"
    assert not after.findings[gone].keys() & before.findings[gone].keys()


# The way there


async def test_a_wrong_key_is_an_error_with_a_next_step(burp: FakeBurp):
    found = await read(tool(burp, api_key="another-secret-key"))

    assert isinstance(found.errors[0], AuthRejected)
    assert "another-secret-key" not in found.said


async def test_a_wrong_place_is_an_error_with_a_next_step(burp: FakeBurp):
    found = await read(tool(burp, url=f"{burp.url}elsewhere/"))

    assert found.listed
    assert not found.listed.complete
    assert found.errors


async def test_a_refused_connection_is_an_error_and_the_next_run_is_whole(burp: FakeBurp):
    burp.control.refuse()
    found = await read(tool(burp))
    burp.control.listen()
    again = await read(tool(burp))

    assert found.listed
    assert not found.listed.complete
    assert "refused" in found.said
    assert len(again.findings) == 4
    assert again.errors == []


async def test_a_port_that_closes_between_the_list_and_its_fetches_closes_nothing(burp: FakeBurp):
    found = await read(tool(burp), between=burp.control.refuse)

    assert found.listed
    assert found.listed.complete
    assert found.findings == {}
    assert len(found.errors) == 4


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def serving(authority: trustme.CA, host: str = "localhost", **more: datetime.datetime) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, **more).configure_cert(context)  # type: ignore[arg-type]
    return context


async def test_a_certificate_of_an_unknown_authority_is_refused(authority: trustme.CA):
    with FakeBurp(tls=serving(authority)) as burp:
        found = await read(tool(burp))

    assert found.findings == {}
    assert "certificate" in str(found.errors[0])


async def test_the_authority_can_be_given(authority: trustme.CA):
    with FakeBurp(tls=serving(authority)) as burp:
        found = await read(tool(burp, certificate=authority.cert_pem.bytes().decode()))

    assert len(found.findings) == 4


async def test_a_redirect_away_from_https_is_refused(authority: trustme.CA):
    with FakeBurp(tls=serving(authority)) as burp:
        burp.control.strike("redirect from https to http", times=None)
        found = await read(tool(burp, certificate=authority.cert_pem.bytes().decode()))

    assert found.findings == {}
    assert "is redirected from https to http://" in str(found.errors[0])


async def test_verification_can_be_switched_off(authority: trustme.CA):
    with FakeBurp(tls=serving(authority)) as burp:
        found = await read(tool(burp, verify_tls=False))

    assert len(found.findings) == 4


@pytest.mark.parametrize("wrong", ["another host", "expired"])
async def test_a_certificate_that_is_not_good_is_refused(authority: trustme.CA, wrong: str):
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    context = serving(authority, "other.test") if wrong == "another host" else serving(authority, not_after=past)
    with FakeBurp(tls=context) as burp:
        found = await read(tool(burp, certificate=authority.cert_pem.bytes().decode()))

    assert found.findings == {}
    assert "certificate" in str(found.errors[0])
