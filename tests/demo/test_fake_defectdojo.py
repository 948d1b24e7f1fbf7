"""What a DefectDojo does, as a contract: held by our fake in both generations, and by a real server that is given.

With DEFECTDOJO_URL and DEFECTDOJO_TOKEN (of a superuser named admin) in the environment the same tests ask that server
instead. Its deduplication is to be switched on, as it is not at first; a server of 3.2.0 kept the contract on
2026-11-27, one of 2.50.4 on 2026-11-28. What they make there is named `tidegate …` and lies in a product type of its
own, which is deleted at the end.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tidegate.demo.fake_defectdojo import sonarqube
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.demo.fake_defectdojo.world import GENERIC

REAL = os.environ.get("DEFECTDOJO_URL", "")
VERSIONS = ["real"] if REAL else ["3.2.0", "2.50.4"]


class Dojo:
    """One server, asked as any client would."""

    def __init__(self, url: str, token: str) -> None:
        self.client = httpx2.Client(
            base_url=f"{url.rstrip('/')}/api/v2/", headers={"Authorization": f"Token {token}"}, timeout=120
        )
        schema = self.ask("GET", "oa3/schema/?format=json")
        self.version: str = schema.json()["info"]["version"]
        self.is_old = self.version.startswith("2.")
        self.type = self.made("product_types", name=self.name("type"))

    def __enter__(self) -> Dojo:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def name(self, noun: str) -> str:
        return f"tidegate {noun} {uuid.uuid4().hex[:10]}"

    def ask(self, method: str, path: str, **told: Any) -> httpx2.Response:
        return self.client.request(method, path, **told)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def made(self, kind: str, **told: Any) -> dict[str, Any]:
        answer = self.ask("POST", f"{kind}/", json=told)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def product(self) -> dict[str, Any]:
        return self.made("products", name=self.name("product"), description="x", prod_type=self.type["id"])

    def engagement(self, product: int | None = None) -> dict[str, Any]:
        own = product or self.product()["id"]
        return self.made(
            "engagements", product=own, name="Global Connectors", target_start="2026-01-01", target_end="2027-01-01"
        )

    def send(self, path: str, findings: Any, **form: Any) -> httpx2.Response:
        """A report of these findings, or of any bytes."""
        content = findings if isinstance(findings, bytes) else json.dumps({"findings": findings}).encode()
        given = {"scan_type": GENERIC, **{name: str(value) for name, value in form.items()}}
        return self.ask("POST", f"{path}/", data=given, files={"file": ("report.json", content, "application/json")})

    def imported(self, findings: list[dict[str, Any]], **form: Any) -> int:
        """Imports into a new engagement; the number of the test."""
        answer = self.send("import-scan", findings, **({"engagement": self.engagement()["id"]} | form))
        assert answer.status_code == 201, answer.text
        return answer.json()["test"]

    def again(self, test: int, findings: list[dict[str, Any]], **form: Any) -> dict[str, Any]:
        answer = self.send("reimport-scan", findings, test=test, **form)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def findings(self, test: int) -> list[dict[str, Any]]:
        return self.get(f"findings/?test={test}&limit=1000&o=id")["results"]


@pytest.fixture(params=VERSIONS, scope="module")
def dojo(request: pytest.FixtureRequest) -> Iterator[Dojo]:
    if request.param == "real":
        with Dojo(REAL, os.environ["DEFECTDOJO_TOKEN"]) as real:
            yield real
            real.ask("DELETE", f"product_types/{real.type['id']}/")
        return
    with FakeDefectDojo(request.param) as fake, Dojo(fake.url, fake.token) as found:
        yield found


def one(title: Any = "One", **told: Any) -> dict[str, Any]:
    return {"title": title, "severity": "High", "description": f"About {title}", **told}


# Who may ask, and how


def test_a_missing_or_wrong_token_is_403_and_a_bearer_is_none(dojo: Dojo):
    for given, said in (
        ("", "Authentication credentials were not provided."),
        ("Bearer abc", "Authentication credentials were not provided."),
        ("Token nobody", "Invalid token."),
    ):
        answer = dojo.ask("GET", "products/", headers={"Authorization": given})
        assert (answer.status_code, answer.json()["detail"]) == (403, said)
        assert "WWW-Authenticate" not in answer.headers


def test_a_path_without_its_last_slash_is_moved_and_an_unknown_one_is_not_there(dojo: Dojo):
    assert dojo.ask("GET", "products", follow_redirects=False).status_code == 301
    assert dojo.ask("GET", "nothing/").status_code == 404


def test_a_wrong_password_is_refused_with_400(dojo: Dojo):
    answer = dojo.ask("POST", "api-token-auth/", json={"username": "nobody", "password": "none"})
    assert (answer.status_code, next(iter(answer.json()))) == (400, "non_field_errors")  # some say it twice


# Lists and objects


def test_lists_have_pages_and_ignore_filters_they_do_not_know(dojo: Dojo):
    products = [dojo.product() for _ in range(3)]
    page = dojo.get(f"products/?prod_type={dojo.type['id']}&limit=2")

    assert (page["count"] >= 3, len(page["results"]), page["previous"]) == (True, 2, None)
    assert "offset=2" in page["next"]
    assert dojo.get("products/?name__iexact=nobody&limit=1")["count"] >= len(products)
    assert dojo.ask("GET", "products/?o=nonsense").status_code == 400


def test_names_of_products_are_looked_for_loosely(dojo: Dojo):
    name = dojo.product()["name"]

    assert dojo.get(f"products/?name={name[:-2].upper()}")["count"] >= 1
    assert [row["name"] for row in dojo.get(f"products/?name_exact={name.upper()}")["results"]] == [name]


def test_a_name_is_taken_once_but_case_tells_names_apart(dojo: Dojo):
    name = dojo.product()["name"]
    told = {"description": "x", "prod_type": dojo.type["id"]}

    again = dojo.ask("POST", "products/", json={"name": name, **told})
    other = dojo.ask("POST", "products/", json={"name": name.upper(), **told})
    long = dojo.ask("POST", "products/", json={"name": "x" * 256, **told})

    assert (again.status_code, "name" in again.json()) == (400, True)
    assert other.status_code == 201
    assert (long.status_code, "name" in long.json()) == (400, True)


def test_what_a_product_needs_is_said(dojo: Dojo):
    without = dojo.ask("POST", "products/", json={"name": dojo.name("product"), "description": "x"})
    unknown = dojo.ask("POST", "products/", json={"name": "x", "description": "x", "prod_type": 10**6})

    assert (without.status_code, "prod_type" in without.json()["detail"]) == (400, True)
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "No Product_Type matches the given query."})


def test_two_engagements_may_have_one_name_and_none_ends_before_it_starts(dojo: Dojo):
    product = dojo.product()["id"]
    assert dojo.engagement(product)["id"] != dojo.engagement(product)["id"]

    told = {"product": product, "target_start": "2026-02-01", "target_end": "2026-01-01"}
    assert "non_field_errors" in dojo.ask("POST", "engagements/", json=told).json()


def test_a_test_that_is_made_alone_has_no_scan_type(dojo: Dojo):
    kind = dojo.get("test_types/?name=SARIF")["results"][0]["id"]
    told = {"test_type": kind, "target_start": "2026-01-01", "target_end": "2026-01-02"}
    made = dojo.made("tests", engagement=dojo.engagement()["id"], **told)
    assert made["scan_type"] is None


# What a report may hold


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (one(severity="high"), 400),
        (one(foo=1), 400),
        ({"title": "x", "severity": "High"}, 400),
        (one(active="false"), 400),
        (one(title=None), 500),
        (one(description=None), 500),
        (one(date=None), 500),
        (one(title="NUL \0"), 500),
        (one(line=2**31), 500),
        (one(component_version="x" * 101), 500),
        (one(unique_id_from_tool="x" * 501), 500),
        (one(vulnerability_ids=["x" * 51]), 500),
    ],
)
def test_one_bad_finding_refuses_the_whole_report(dojo: Dojo, told: dict[str, Any], status: int):
    assert dojo.send("import-scan", [told], engagement=dojo.engagement()["id"]).status_code == status


@pytest.mark.parametrize(
    ("content", "status"), [(b"{", 400), (b"\xe9", 400), (b"[]", 500), (b"null", 500), (b"{}", 201)]
)
def test_what_is_no_report(dojo: Dojo, content: bytes, status: int):
    assert dojo.send("import-scan", content, engagement=dojo.engagement()["id"]).status_code == status


def test_a_report_comes_as_a_form_with_a_file(dojo: Dojo):
    told = {"scan_type": GENERIC, "engagement": str(dojo.engagement()["id"])}

    assert dojo.ask("POST", "import-scan/", data=told).status_code == 415
    assert dojo.ask("POST", "import-scan/", json=told).status_code == 415
    assert dojo.ask("POST", "import-scan/", data=told, files={"other": ("x.json", b"{}")}).status_code == 400
    assert dojo.ask("POST", "import-scan/", data=told, files={"file": ("x.exe", b"{}")}).status_code == 400


def test_titles_are_cut_and_set_in_title_case_and_odd_values_are_dropped(dojo: Dojo):
    test = dojo.imported([one("t1"), one("a" * 600, cwe="79", tags=["B c", "d,e"], cvssv3_score=9.1)])
    short, long = sorted(dojo.findings(test), key=lambda row: len(row["title"]))

    assert short["title"] == "T1"
    assert (len(long["title"]), long["cwe"]) == (511, 79)
    assert sorted(long["tags"]) == sorted(["b_c", "d_e"] if dojo.is_old else ["B_c", "d_e"])


def test_a_product_that_is_not_there_is_made_only_when_asked_to(dojo: Dojo):
    named = {"product_name": dojo.name("product"), "engagement_name": "Global Connectors"}
    refused = dojo.send("import-scan", [], **named)
    made = dojo.send("import-scan", [one()], **named, auto_create_context="true", product_type_name=dojo.type["name"])

    assert (refused.status_code, isinstance(refused.json(), list)) == (400, True)
    assert made.status_code == 201
    assert dojo.get(f"engagements/{made.json()['engagement_id']}/")["engagement_type"] == "CI/CD"


# Reimport: who is matched, made, closed


def test_the_same_report_again_changes_nothing(dojo: Dojo):
    report = [one(), one("Two")]
    test = dojo.imported(report)
    before = [(row["id"], row["title"], row["active"]) for row in dojo.findings(test)]
    dojo.again(test, report)
    assert [(row["id"], row["title"], row["active"]) for row in dojo.findings(test)] == before


def test_a_matched_finding_keeps_its_old_severity_and_its_old_id(dojo: Dojo):
    test = dojo.imported([one(unique_id_from_tool="a", mitigation="Old")])
    dojo.again(test, [one("ONE".lower(), unique_id_from_tool="b", severity="Low", mitigation="New") | {"title": "one"}])
    (row,) = dojo.findings(test)
    assert (row["severity"], row["unique_id_from_tool"], row["mitigation"]) == ("High", "a", "Old")


@pytest.mark.parametrize("title", ["x" * 600, "With\ttabs"])
def test_the_older_server_knows_a_long_title_or_one_with_tabs_no_more(dojo: Dojo, title: str):
    test = dojo.imported([one(title)])
    dojo.again(test, [one(title)])
    first, *more = dojo.findings(test)
    assert (first["active"], len(more)) == ((False, 1) if dojo.is_old else (True, 0))


def test_another_description_under_the_same_id_is_another_finding(dojo: Dojo):
    test = dojo.imported([one(unique_id_from_tool="a")])
    dojo.again(test, [one(unique_id_from_tool="a") | {"description": "Other"}])
    assert [row["active"] for row in dojo.findings(test)] == [False, True]


def test_the_hash_runs_fields_together(dojo: Dojo):
    """cwe 1 with line 23 is cwe 12 with line 3; component and id are not in it."""
    test = dojo.imported([one(cwe=1, line=23, component_name="x"), one(cwe=12, line=3, component_name="y")])
    assert sorted(row["duplicate"] for row in dojo.findings(test)) == [False, True]


def test_what_is_missing_is_closed_and_what_comes_back_is_the_same_one(dojo: Dojo):
    test = dojo.imported([one(), one("Two")])
    dojo.again(test, [one()])
    gone = dojo.findings(test)[1]
    dojo.again(test, [one(), one("Two")])
    back = dojo.findings(test)[1]

    assert (gone["active"], gone["is_mitigated"], bool(gone["mitigated"])) == (False, True, True)
    assert (back["id"], back["active"], back["is_mitigated"]) == (gone["id"], True, False)


def test_nothing_is_closed_where_that_is_switched_off(dojo: Dojo):
    test = dojo.imported([one(), one("Two")])
    dojo.again(test, [one()], close_old_findings="false")
    assert all(row["active"] for row in dojo.findings(test))


def test_an_empty_report_closes_everything_and_so_does_a_threshold(dojo: Dojo):
    for report, form in (([], {}), ([one()], {"minimum_severity": "Critical"})):
        test = dojo.imported([one()])
        dojo.again(test, report, **form)
        assert not any(row["active"] for row in dojo.findings(test))


def test_a_wrong_scan_type_closes_everything_or_breaks(dojo: Dojo):
    test = dojo.imported([one()])
    answer = dojo.send("reimport-scan", [one()], test=test, scan_type="SARIF")

    assert answer.status_code == (500 if dojo.is_old else 201)
    assert dojo.findings(test)[0]["active"] is dojo.is_old


def test_a_service_in_the_report_is_never_closed(dojo: Dojo):
    test = dojo.imported([one(service="s1"), one("Two", service="s2")])
    dojo.again(test, [])
    assert all(row["active"] for row in dojo.findings(test))


def test_a_second_test_of_the_product_gets_inactive_duplicates(dojo: Dojo):
    engagement = dojo.engagement()["id"]
    first = dojo.imported([one()], engagement=engagement, test_title="first")
    second = dojo.imported([one()], engagement=engagement, test_title="second")
    copy = dojo.findings(second)[0]
    assert (copy["active"], copy["duplicate"], copy["duplicate_finding"]) == (
        False,
        True,
        dojo.findings(first)[0]["id"],
    )


# Decisions


def test_decisions_stay_but_the_newer_server_loses_an_acceptance_where_the_finding_is_missing_once(dojo: Dojo):
    product = dojo.product()["id"]
    dojo.ask("PATCH", f"products/{product}/", json={"enable_simple_risk_acceptance": True})
    test = dojo.imported([one(), one("Two")], engagement=dojo.engagement(product)["id"])
    wrong, accepted = (row["id"] for row in dojo.findings(test))
    assert dojo.ask("PATCH", f"findings/{wrong}/", json={"active": False, "false_p": True}).status_code == 200
    told = {"active": False, "risk_accepted": True}
    assert dojo.ask("PATCH", f"findings/{accepted}/", json=told).status_code == 200

    dojo.again(test, [])
    dojo.again(test, [one(), one("Two")])

    first, second = dojo.findings(test)
    assert (first["false_p"], first["active"]) == (True, False)
    assert (second["risk_accepted"], second["active"]) == ((True, False) if dojo.is_old else (False, True))


def test_flags_that_do_not_go_together_are_refused(dojo: Dojo):
    number = dojo.findings(dojo.imported([one()]))[0]["id"]
    for told in (
        {"risk_accepted": True, "active": False},
        {"false_p": True, "verified": True},
        {"severity": "Unknown"},
    ):
        assert dojo.ask("PATCH", f"findings/{number}/", json=told).status_code == 400
    assert dojo.ask("PATCH", f"findings/{number}/", json={"severity": "Low"}).json()["severity"] == "Low"


def test_a_flag_of_a_new_finding_needs_active_false(dojo: Dojo):
    test = dojo.imported([one(false_p=True), one("Two", false_p=True, active=False)])
    plain, kept = dojo.findings(test)
    assert (plain["active"], plain["false_p"]) == (True, False)
    assert (kept["active"], kept["false_p"], kept["is_mitigated"]) == (False, True, True)


def test_a_note_is_trimmed_and_only_the_newer_server_takes_it_for_a_review(dojo: Dojo):
    number = dojo.findings(dojo.imported([one()]))[0]["id"]
    before = dojo.get(f"findings/{number}/")

    made = dojo.ask("POST", f"findings/{number}/notes/", json={"entry": "  a\n\nb ", "private": False})
    blank = dojo.ask("POST", f"findings/{number}/notes/", json={"entry": "  ", "private": False})

    row = dojo.get(f"findings/{number}/")
    assert (made.status_code, blank.status_code, "entry" in blank.json()) == (201, 400, True)
    assert [(each["entry"], each["author"]["username"]) for each in row["notes"]] == [("a\n\nb", "admin")]
    assert row["last_status_update"] == before["last_status_update"]
    assert (row.get("last_reviewed") != before.get("last_reviewed")) is not dojo.is_old


def test_an_acceptance_and_its_end_are_noted_by_the_server_in_the_name_of_who_said_so(dojo: Dojo):
    product = dojo.product()["id"]
    dojo.ask("PATCH", f"products/{product}/", json={"enable_simple_risk_acceptance": True})
    number = dojo.findings(dojo.imported([one()], engagement=dojo.engagement(product)["id"]))[0]["id"]

    dojo.ask("PATCH", f"findings/{number}/", json={"risk_accepted": True, "active": False})
    dojo.ask("PATCH", f"findings/{number}/", json={"risk_accepted": False, "active": True})

    notes = sorted(dojo.get(f"findings/{number}/")["notes"], key=lambda each: each["id"])
    assert [each["entry"].rpartition(") ")[2] for each in notes] == [
        "has risk accepted this finding", "removed a risk exception from this finding",
    ]  # fmt: skip


def test_ids_of_vulnerabilities_cannot_be_taken_away(dojo: Dojo):
    number = dojo.findings(dojo.imported([one(vulnerability_ids=["CVE-2020-1"])]))[0]["id"]
    answer = dojo.ask("PATCH", f"findings/{number}/", json={"vulnerability_ids": []})
    assert answer.status_code == 200
    assert dojo.get(f"findings/{number}/")["vulnerability_ids"] == [{"vulnerability_id": "CVE-2020-1"}]


# Half-way, gone, not allowed


def test_a_broken_import_leaves_what_it_had_done_and_its_test_is_not_finished(dojo: Dojo):
    engagement = dojo.engagement()["id"]
    report = [one("A"), one("Z", component_version="x" * 101)]
    assert dojo.send("import-scan", report, engagement=engagement, build_id="b1").status_code == 500
    (test,) = dojo.get(f"tests/?engagement={engagement}")["results"]
    assert (test["percent_complete"], test["build_id"] or "") == (50, "b1")  # a name from the start

    dojo.again(test["id"], [one("A"), one("Z")], build_id="b2")

    healed = dojo.get(f"tests/{test['id']}/")
    assert (healed["percent_complete"], healed["build_id"]) == (100, "b2")
    assert [row["active"] for row in dojo.findings(test["id"])] == [True, True]


def test_a_deleted_test_is_not_there_for_anybody(dojo: Dojo):
    test = dojo.imported([one()])
    assert dojo.ask("DELETE", f"tests/{test}/").status_code == 204
    assert dojo.ask("DELETE", f"tests/{test}/").status_code == 404
    assert dojo.ask("GET", f"tests/{test}/").json() == {"detail": "No Test matches the given query."}
    assert dojo.ask("GET", f"findings/?test={test}").status_code == 400
    refused = dojo.send("reimport-scan", [one()], test=test)
    assert (refused.status_code, refused.json()) == (400, [f'Test "{test}" does not exist'])


def test_the_newer_server_says_how_it_tells_findings_apart(dojo: Dojo):
    test = dojo.get(f"tests/{dojo.imported([one()])}/")
    assert test.get("deduplication_algorithm") == (None if dojo.is_old else "hash_code")
    assert ("hash_code_fields" in test) is not dojo.is_old


# Of the fake alone


@pytest.fixture(params=["3.2.0", "2.50.4"])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeDefectDojo]:
    with FakeDefectDojo(request.param) as fake:
        yield fake


@pytest.fixture
def asked(fake: FakeDefectDojo) -> Iterator[Dojo]:
    with Dojo(fake.url, fake.token) as asked:
        yield asked


def test_who_may_not_sees_nothing_and_is_told_nothing_is_there(fake: FakeDefectDojo, asked: Dojo):
    """No permission looks like absence, but for an import."""
    engagement = asked.engagement()
    fake.world.add_user("rae", "rae's token")
    rae = {"headers": {"Authorization": "Token rae's token"}}

    assert asked.ask("GET", "products/", **rae).json()["count"] == 0
    assert asked.ask("GET", f"products/{engagement['product']}/", **rae).status_code == 404
    given = {"data": {"scan_type": GENERIC, "engagement": str(engagement["id"])}, "files": {"file": ("x.json", b"{}")}}
    assert asked.ask("POST", "import-scan/", **given, **rae).status_code == 403
    fake.world.allow(engagement["product"], "rae")
    assert asked.ask("POST", "import-scan/", **given, **rae).status_code == 201


def test_where_the_server_is_told_so_the_tool_s_id_is_the_identity(fake: FakeDefectDojo, asked: Dojo):
    fake.world.algorithm = "unique_id_from_tool"
    test = asked.imported([one(unique_id_from_tool="a"), one("Two")])
    asked.again(test, [one("Other", unique_id_from_tool="a"), one("Two")])
    rows = asked.findings(test)
    assert [(row["title"], row["active"]) for row in rows] == [("One", True), ("Two", False), ("Two", True)]


def test_a_lost_answer_comes_after_the_work(fake: FakeDefectDojo, asked: Dojo):
    """A client's time-out does not stop the server's import."""
    engagement = asked.engagement()["id"]
    fake.control.strike("reset")
    with pytest.raises(httpx2.HTTPError):
        asked.send("import-scan", [one()], engagement=engagement)
    (test,) = asked.get(f"tests/?engagement={engagement}")["results"]
    assert (test["percent_complete"], len(asked.findings(test["id"]))) == (100, 1)


def test_an_import_that_breaks_half_way_is_mended_by_the_next(fake: FakeDefectDojo, asked: Dojo):
    test, report = asked.imported([]), [one(f"F{number}") for number in range(9)]
    fake.control.break_after(4)
    assert asked.send("reimport-scan", report, test=test).status_code == 500
    assert len(asked.findings(test)) == 4
    asked.again(test, report)
    assert len(asked.findings(test)) == 9


def test_deleting_an_original_makes_its_copy_the_new_one(asked: Dojo):
    engagement = asked.engagement()["id"]
    first = asked.imported([one()], engagement=engagement, test_title="first")
    second = asked.imported([one()], engagement=engagement, test_title="second")
    assert asked.ask("DELETE", f"tests/{first}/").status_code == 204
    (heir,) = asked.findings(second)
    assert (heir["active"], heir["duplicate"]) == (True, False)


def test_a_tool_configuration_never_shows_its_secrets(fake: FakeDefectDojo, asked: Dojo):
    fake.world.add(
        "tool_configurations", name="Sonar", url="https://sonar", tool_type=1, api_key="hunter2", password="x"
    )
    (row,) = asked.get("tool_configurations/")["results"]
    assert "hunter2" not in json.dumps(row)
    assert row["name"] == "Sonar"


def test_tool_configurations_are_for_superusers_and_go_with_3_5(fake: FakeDefectDojo, asked: Dojo):
    sonarqube.tool_configuration(fake.world, "Sonar", "https://sonar/api")
    fake.world.add_user("carol", "carols0token")
    carol = {"Authorization": "Token carols0token"}

    assert asked.ask("GET", "tool_configurations/", headers=carol).status_code == 403
    assert asked.ask("GET", "tool_types/", headers=carol).status_code == 403
    assert asked.ask("GET", "product_api_scan_configurations/", headers=carol).json()["count"] == 0
    fake.world.version = "3.5.0"
    assert asked.ask("GET", "tool_configurations/").status_code == 404


def test_what_the_sonarqube_importer_leaves_has_the_ids_of_issues_and_hotspots(fake: FakeDefectDojo, asked: Dojo):
    issue = {"key": "i1", "message": "m", "component": "shop:a.py", "status": "CONFIRMED", "severity": "BLOCKER"}
    hotspot = {"key": "h1", "message": "n", "component": "shop:b.py", "status": "TO_REVIEW",
               "vulnerabilityProbability": "HIGH"}  # fmt: skip
    rows = sonarqube.imported(fake.world, asked.product()["id"], [issue, hotspot], branch="release")

    found = [asked.get(f"findings/{row['id']}/") for row in rows]
    assert [one["unique_id_from_tool"] for one in found] == ["i1", "hotspot:h1"]
    assert [(one["severity"], one["verified"]) for one in found] == [("Critical", True), ("High", False)]
    test = asked.get(f"tests/{found[0]['test']}/")
    assert (test["test_type_name"], test["branch_tag"]) == (sonarqube.SCAN_TYPE, "release")
