"""The fake Security Hub over HTTP on loopback, and beside it, at another port, the STS that lets into its role."""

import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from tidegate.demo.fake import Fake, Question
from tidegate.demo.fake_security_hub.signature import key_of, why_wrong
from tidegate.demo.fake_security_hub.world import HOME, TODAY, World
from tidegate.demo.faults import Shape
from tidegate.demo.pages import CursorUnknown, following
from tidegate.demo.wire import Answer, Port, Request, as_json

ACCESS, SECRET = "AKIADEMOFAKEOFNOBODY", "demo/fake/secret+of+nobody/0000000000000001"
ROLE = "arn:aws:iam::111122223333:role/tidegate"
EXTERNAL_ID = "demo-external-id"
SHAPES = {
    "members": Shape("Members", "AccountId", start="NextToken", page="MaxResults", first=None),
    **{
        name: Shape("Findings", "Id", word="Severity.Label", text="Title", date="CreatedAt", start="NextToken",
                    page="MaxResults", first=None)
        for name in ("controls", "vulnerabilities", "findings")
    },
}  # fmt: skip
_BY_SEVERITY = "arn:aws:securityhub:::insight/securityhub/default/29"
_FAMILIES = {"Security Hub CSPM": "controls", "Inspector": "vulnerabilities"}


class FakeSecurityHub(Fake[World]):
    """`with FakeSecurityHub() as hub: hub.url, hub.sts_url, hub.world, hub.control.strike("500", "controls")`.

    Takes the keys ACCESS and SECRET, and those that its STS gives for ROLE. `expire()` ends the latter.
    """

    shapes = SHAPES

    def __init__(self, *, port: int = 0) -> None:
        self.sessions: dict[str, tuple[str, str]] = {}
        """Secret and session token by temporary access key."""
        self.lasting = timedelta(hours=1)
        super().__init__(World(), port=port)
        self._sts = Port(self._assume, 0, closing=self._closing)
        self._sts.bind()
        self.sts_url = f"http://127.0.0.1:{self._sts.number}/"

    @property
    def settings(self) -> dict[str, Any]:
        """What a person would enter, but for the secret key."""
        return {"url": self.url, "region": HOME, "access_key_id": ACCESS}

    def expire(self) -> None:
        """The temporary keys have ended."""
        with self.lock:
            self.sessions.clear()

    def start(self) -> "FakeSecurityHub":
        self._sts.open()
        return super().start()

    def stop(self) -> None:
        super().stop()
        self._sts.close()

    def ask(self, request: Request) -> Question | Answer:
        if (refused := self._refused(request, "securityhub")) is not None:
            return refused
        body: dict[str, Any] = request.json if request.content else {}
        listed = {"/members": "members", "/findings": _family(body)}.get(request.path, "")
        cut = {"MaxResults": 100, "NextToken": None, **(body if request.method == "POST" else request.query)}
        return Question(request, listed, variables=cut, name=request.path, what=body.get("Filters", {}))

    def answer(self, question: Question) -> Answer:
        if not self.world.enabled:
            return _error(
                401, "InvalidAccessException", f"Account {self.world.account} is not subscribed to AWS Security Hub"
            )
        path = question.request.path
        if path == "/accounts":
            return as_json({"HubArn": f"arn:aws:securityhub:{HOME}:{self.world.account}:hub/default"})
        if path.startswith("/findingAggregator/"):
            return self._aggregator(path)
        if path == "/standards/get":
            return as_json({"StandardsSubscriptions": [{"StandardsStatus": "READY"}] if self.world.standards else []})
        if unquote(path) == f"/insights/results/{_BY_SEVERITY}" and self.world.may_count:
            return as_json({"InsightResults": self._by_severity()})
        if path == "/members":
            rows = [{"AccountId": each, "MemberStatus": status} for each, status in self.world.members.items()]
            return _page("Members", rows, question.variables, 50)
        if path == "/findings" and self.world.may_read:
            rows = [row for row in self.world.shown() if _matches(row, question.what)]
            return _page("Findings", rows, question.variables, 100)
        return _error(403, "AccessDeniedException", f"User: tidegate is not authorized to perform: {path}")

    def _by_severity(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-managed-insights.html, number 24."""
        rows = [row for row in self.world.shown() if row["RecordState"] == "ACTIVE"]
        found = Counter(row["Severity"]["Label"] for row in rows if row["Workflow"]["Status"] in ("NEW", "NOTIFIED"))
        values = [{"GroupByAttributeValue": label, "Count": number} for label, number in found.most_common()]
        return {"InsightArn": _BY_SEVERITY, "GroupByAttribute": "SeverityLabel", "ResultValues": values}

    def _aggregator(self, path: str) -> Answer:
        arn = f"arn:aws:securityhub:{HOME}:{self.world.account}:finding-aggregator/1"
        if path.endswith("/list"):
            return as_json({"FindingAggregators": [] if self.world.linked is None else [{"FindingAggregatorArn": arn}]})
        told = {"RegionLinkingMode": "SPECIFIED_REGIONS", "Regions": self.world.linked}
        return as_json({"FindingAggregatorArn": arn, "FindingAggregationRegion": HOME, **told})

    def _refused(self, request: Request, service: str) -> Answer | None:
        """AWS's answer to a request whose signature, key or token is not right."""
        key, token = key_of(request), request.header("X-Amz-Security-Token") or ""
        secret, wanted = self.sessions.get(key, ("", "")) if key != ACCESS else (SECRET, "")
        if not secret:
            ended = key.startswith("ASIA")
            said = f"The security token included in the request is {'expired' if ended else 'invalid'}."
            return _error(403, "ExpiredTokenException" if ended else "UnrecognizedClientException", said)
        wrong = why_wrong(request, secret, service) or ("" if token == wanted else "The security token is invalid.")
        return _error(403, "InvalidSignatureException", wrong) if wrong else None

    def _assume(self, request: Request) -> Answer:
        """AssumeRole: temporary keys, each time others, in the XML of STS."""
        fields = request.form
        refused = self._refused(request, "sts")
        if refused is None and (fields.get("RoleArn"), fields.get("ExternalId")) != (ROLE, EXTERNAL_ID):
            said = f"User: tidegate is not authorized to perform: sts:AssumeRole on resource: {fields.get('RoleArn')}"
            told = f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{said}</Message></Error></ErrorResponse>"
            return Answer(403, {"Content-Type": "text/xml"}, told.encode())
        if refused is not None:
            return refused
        with self.lock:
            key, secret, token = f"ASIA{len(self.sessions):016d}", secrets.token_hex(20), secrets.token_hex(40)
            self.sessions[key] = (secret, token)
        ends = (datetime.now(UTC) + self.lasting).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token, "Expiration": ends}
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in told.items())
        result = f"<AssumeRoleResult><Credentials>{inner}</Credentials></AssumeRoleResult>"
        return Answer(200, {"Content-Type": "text/xml"}, f"<AssumeRoleResponse>{result}</AssumeRoleResponse>".encode())


def _family(body: Mapping[str, Any]) -> str:
    products = body.get("Filters", {}).get("ProductName", [])
    equal = [each["Value"] for each in products if each["Comparison"] == "EQUALS"]
    return _FAMILIES.get(equal[0], "findings") if equal else "findings"


def _page(name: str, rows: list[dict[str, Any]], cut: Mapping[str, Any], most: int) -> Answer:
    size = int(cut["MaxResults"])
    if not 1 <= size <= most:
        return _error(400, "InvalidInputException", f"Invalid parameter 'MaxResults': it must be from 1 to {most}.")
    try:
        found, token = following(rows, cut["NextToken"], size)
    except CursorUnknown:
        return _error(400, "InvalidInputException", "Invalid token provided.")
    return as_json({name: found, **({"NextToken": token} if token else {})})


def _matches(row: Mapping[str, Any], filters: Mapping[str, list[Mapping[str, Any]]]) -> bool:
    """Values of one attribute are joined by OR, those that are excluded and attributes by AND."""
    for name, wanted in filters.items():
        if name == "UpdatedAt":
            within = timedelta(days=wanted[0]["DateRange"]["Value"])
            if datetime.fromisoformat(row["UpdatedAt"]) < TODAY - within:
                return False
            continue
        told = row.get("Compliance", {}).get("Status") if name == "ComplianceStatus" else row.get(name)
        equal = [each["Value"] for each in wanted if each["Comparison"] == "EQUALS"]
        unlike = [each["Value"] for each in wanted if each["Comparison"] == "NOT_EQUALS"]
        if (equal and told not in equal) or told in unlike:
            return False
    return True


def _error(status: int, code: str, said: str) -> Answer:
    return as_json({"message": said}, status, X_Amzn_ErrorType=code)
