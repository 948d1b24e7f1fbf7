"""What the SonarQube importer of the fake was told, and the findings that it left there.

Facts: dojo/tool_config/models.py, dojo/product/models.py (Product_API_Scan_Configuration), dojo/tools/api_sonarqube/
importer.py and dojo/tools/api_sonarqube/parser.py of DefectDojo at 3.2.0: the URL ends in /api; service key 1 is the
key of a project, 2 an organization; a finding is an issue by `unique_id_from_tool`, a hotspot with a word before it.
"""

from typing import Any

from tidegate.demo.fake_defectdojo import report as reports
from tidegate.demo.fake_defectdojo.importing import new_engagement, new_product, new_test
from tidegate.demo.fake_defectdojo.world import Row, World

SCAN_TYPE = "SonarQube API Import"
OF_SONAR = {"BLOCKER": "Critical", "CRITICAL": "High", "MAJOR": "Medium", "MINOR": "Low"}


def tool_configuration(world: World, name: str, url: str, *, tool_type: str = "SonarQube", **told: Any) -> Row:
    """A server that an importer asks, with a credential that is never shown."""
    kind = world.find("tool_types", name=tool_type) or world.add("tool_types", name=tool_type, description="")
    empty = {"description": None, "extras": None, "username": None, "auth_title": None, "password": None, "ssh": None}
    own = empty | {"authentication_type": "API", "api_key": "the0key0that0nobody0shows"} | told
    return world.add("tool_configurations", name=name, url=url, tool_type=kind["id"], **own)


def product(world: World, name: str, product_type: str = "Research and Development") -> Row:
    kind = world.find("product_types", name=product_type) or world.add(
        "product_types", name=product_type, description="", members=[]
    )
    return world.add("products", **new_product(name, kind["id"], description=name, users=[]))


def scan_configuration(world: World, product: int, configuration: int, key_1: str = "", key_2: str = "") -> Row:
    """What of a server belongs to a product."""
    return world.add(
        "product_api_scan_configurations", product=product, tool_configuration=configuration,
        service_key_1=key_1 or None, service_key_2=key_2 or None, service_key_3=None,
    )  # fmt: skip


def imported(
    world: World, product: int, issues: list[dict[str, Any]], *, configuration: int | None = None, branch: str = ""
) -> list[Row]:
    """The findings of one import of these issues and hotspots, as SonarQube shows them, into a new test."""
    kind = world.find("test_types", name=SCAN_TYPE) or world.add(
        "test_types", name=SCAN_TYPE, static_tool=False, dynamic_tool=False, active=True
    )
    engagement = world.add("engagements", **new_engagement(world, product, "Nightly", "CI/CD", "In Progress"))
    test = world.add("tests", **new_test(world, engagement["id"], kind, scan_type=SCAN_TYPE, title=None))
    test.update(branch_tag=branch, api_scan_configuration=configuration, percent_complete=100)
    return [_finding(world, test, issue) for issue in issues]


def _finding(world: World, test: Row, issue: dict[str, Any]) -> Row:
    is_hotspot = "vulnerabilityProbability" in issue
    if is_hotspot:
        word = issue["vulnerabilityProbability"].title()
        severity = word if word in ("Critical", "High", "Medium", "Low") else "Info"
    else:
        severity = OF_SONAR.get(issue["severity"], "Info")
    row = reports.finding(
        world,
        {
            "title": issue["message"], "severity": severity, "description": "Its rule.", "line": issue.get("line"),
            "file_path": issue["component"], "verified": issue["status"] in ("CONFIRMED", "ACCEPTED", "DETECTED"),
            "static_finding": True, "unique_id_from_tool": f"hotspot:{issue['key']}" if is_hotspot else issue["key"],
        },
    )  # fmt: skip
    return world.add(
        "findings", **row | {"date": world.today()}, test=test["id"], hash_code=world.hash_of(row), notes=[],
        duplicate=False, duplicate_finding=None, reporter=1, found_by=[test["test_type"]], mitigated_by=None,
        under_review=False, last_status_update=world.stamp(), last_reviewed=None, last_reviewed_by=None,
        accepted_risks=[], endpoints=[], sonarqube_issue=None,
    )  # fmt: skip
