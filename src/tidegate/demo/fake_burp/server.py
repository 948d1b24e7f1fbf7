"""The fake Burp over HTTP: the vendor's port, and a control port through which its world and its faults are changed."""

import ssl
from collections.abc import Mapping
from typing import Any

from tidegate.demo.fake import Control, Fake, Question
from tidegate.demo.fake_burp import api
from tidegate.demo.fake_burp.world import World, demo_world
from tidegate.demo.faults import Shape
from tidegate.demo.wire import Answer, Request, as_json

API_KEY = "demo-burp-api-key-2f1c"  # a fake's key, known to everybody
SHAPES = {
    "issues": Shape("data.scan.issues", "fingerprint", "data.scan.issue_counts.total", "severity", "description_html",
                    start="start", page="count"),
    "sites": Shape("data.site_tree.sites", text="name"),
    "folders": Shape("data.site_tree.folders", text="name"),
    "scans": Shape("data.scans", word="status", date="end_time"),
}  # fmt: skip


class BurpControl(Control):
    """What can be done to the fake Burp; its lists are those of sites."""

    def strike(  # pyright: ignore[reportIncompatibleMethodOverride] - Burp's word for whom a list is about
        self, fault: str, list: str = "", site: str = "", at: int = 1, times: int | None = 1
    ) -> None:
        """A fault by its name in demo/faults.py. `list`: issues, scans, sites, folders, or any; `site`: of that site
        only, by name or id. The rest as of every fake."""
        super().strike(fault, list, self.world.site(site).id if site else "", at, times)

    def half_a_page(self, site: str = "") -> None:
        """The next list of issues ends after half of its first page, although its total says more."""
        self.strike("half a page", "issues", site)


class FakeBurp(Fake[World]):
    """A Burp Suite DAST on loopback: `with FakeBurp() as burp: burp.url, burp.api_key, burp.control`.

    `seed`: "demo" is four sites of a shop, "empty" none. `bulk`: further sites with so many synthetic issues each.
    """

    shapes = SHAPES
    control: BurpControl

    def __init__(
        self,
        seed: str = "demo",
        *,
        bulk: Mapping[str, int] | None = None,
        port: int = 0,
        control_port: int = 0,
        api_key: str = API_KEY,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        world = {"demo": demo_world, "empty": World}[seed]()
        for name, issues in (bulk or {}).items():
            world.add_bulk_site(name, issues)
        self.api_key = api_key
        super().__init__(world, port=port, control_port=control_port, tls=tls)

    def controls(self) -> BurpControl:
        return BurpControl(self)

    def ask(self, request: Request) -> Question | Answer:
        """A GraphQL query; anything else is refused as Burp does."""
        if request.method != "POST":
            return as_json({"error": "POST only"}, 405)
        if request.path != "/graphql/v1":
            return Answer(404, {"Content-Type": "text/html"}, b"<!doctype html><html><body>Burp Suite</body></html>")
        if request.header("Authorization") != self.api_key:
            return as_json({"error": "Unauthorized"}, 401)
        try:
            asked = api.ask(request.json)
        except ValueError:
            return as_json({"error": "The body is not JSON."}, 400)
        if isinstance(asked, list):
            return as_json({"errors": asked})
        scan = self.world.scans.get(str(asked.variables.get("scan")))
        site = scan.site if scan else str(asked.variables.get("site") or "")
        return Question(request, asked.root, site, asked.variables, asked.name, asked)

    def answer(self, question: Question) -> Answer:
        return Answer(body=api.answer(self.world, question.what, question.variables))

    def standing(self) -> dict[str, Any]:
        """The sites and their scans."""
        sites = {site.id: site.name for site in self.world.sites.values()}
        scans = {scan.id: [scan.site, scan.status, len(scan.issues)] for scan in self.world.scans.values()}
        return {"sites": sites, "scans": scans}
