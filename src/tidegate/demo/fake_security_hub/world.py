"""What the fake Security Hub knows: an administrator's account, its members, linked regions, and their findings.

Findings are kept as GetFindings shows them. Times are fixed, so that a run is the same each time.
"""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

ACCOUNT, HOME = "111122223333", "eu-west-1"
TODAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
_CONTROLS = "Security Hub CSPM"


class World:
    """A home region. `linked`: the regions of its aggregator; None where there is none. `standards`: of our account."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.account, self.members = ACCOUNT, dict[str, str]()
        self.linked: list[str] | None = None
        self.enabled = self.standards = self.may_read = self.may_count = True
        self.findings: dict[str, dict[str, Any]] = {}
        self._number = 0

    def add_member(self, account: str, status: str = "Enabled") -> None:
        self.members[account] = status

    def remove_member(self, account: str) -> None:
        """Its findings are not shown any more either."""
        del self.members[account]

    def link(self, *regions: str) -> None:
        """Cross-region aggregation, of these regions."""
        self.linked = [*regions]

    def fail_control(self, account: str = ACCOUNT, region: str = HOME, control: str = "S3.8", **fields: Any) -> str:
        """A check of a control that fails; gives the finding's key."""
        number = self._next()
        arn = f"arn:aws:securityhub:{region}::product/aws/securityhub"
        id_ = f"arn:aws:securityhub:{region}:{account}:security-control/{control}/finding/{number:06d}"
        compliance = {"Status": "FAILED", "SecurityControlId": control}
        found = self._row(account, region, _CONTROLS, arn, id_, Compliance=compliance, **fields)
        found["GeneratorId"] = f"security-control/{control}"
        return self._keep(found)

    def find_vulnerability(self, account: str = ACCOUNT, region: str = HOME, **fields: Any) -> str:
        """A vulnerable package that Amazon Inspector finds; gives the finding's key."""
        number = self._next()
        arn = f"arn:aws:securityhub:{region}::product/aws/inspector"
        package = {"Name": f"package-{number}", "Version": "1.0.0", "PackageManager": "NPM", "FixedInVersion": "1.0.1"}
        cve = {"Id": f"CVE-2026-{number:05d}", "VulnerablePackages": [package], "EpssScore": 0.1}
        id_ = f"arn:aws:inspector2:{region}:{account}:finding/{number:06d}"
        return self._keep(self._row(account, region, "Inspector", arn, id_, Vulnerabilities=[cve], **fields))

    def find_threat(self, account: str = ACCOUNT, region: str = HOME, **fields: Any) -> str:
        """Something that GuardDuty sees; gives the finding's key."""
        arn = f"arn:aws:securityhub:{region}::product/aws/guardduty"
        id_ = f"arn:aws:guardduty:{region}:{account}:detector/12ab/finding/{self._next():06d}"
        return self._keep(self._row(account, region, "GuardDuty", arn, id_, **fields))

    def change(self, key: str, **fields: Any) -> None:
        self.findings[key].update(fields, UpdatedAt=_time(TODAY))

    def archive(self, key: str) -> None:
        """Who provides it found it no more, or what it was found in is gone."""
        self.change(key, RecordState="ARCHIVED")

    def pass_check(self, key: str) -> None:
        """The next check of the control finds nothing wrong."""
        compliance = {**self.findings[key]["Compliance"], "Status": "PASSED"}
        self.change(key, Compliance=compliance, Workflow={"Status": "RESOLVED"})

    def suppress(self, key: str, note: str = "") -> None:
        told = {"Note": {"Text": note, "UpdatedBy": "alice", "UpdatedAt": _time(TODAY)}} if note else {}
        self.change(key, Workflow={"Status": "SUPPRESSED"}, **told)

    def purge(self, key: str) -> None:
        """Deleted, 90 days after the last update, or with the account."""
        del self.findings[key]

    def shown(self) -> list[dict[str, Any]]:
        """What can be seen from the home region, in the order of their keys."""
        accounts = {self.account, *(each for each, status in self.members.items() if status == "Enabled")}
        regions = {HOME, *(self.linked or ())}
        rows = (self.findings[key] for key in sorted(self.findings))
        return [row for row in rows if row["AwsAccountId"] in accounts and row["Region"] in regions]

    def _row(self, account: str, region: str, product: str, arn: str, id_: str, **fields: Any) -> dict[str, Any]:
        bucket = {"Type": "AwsS3Bucket", "Id": f"arn:aws:s3:::bucket-{self._number}", "Region": region}
        return {
            "SchemaVersion": "2018-10-08", "Id": id_, "ProductArn": arn, "ProductName": product, "CompanyName": "AWS",
            "Region": region, "GeneratorId": product, "AwsAccountId": account, "Types": ["Effects/Data Exposure"],
            "CreatedAt": _time(TODAY - timedelta(days=30)), "UpdatedAt": _time(TODAY - timedelta(days=30)),
            "Severity": {"Label": "HIGH", "Normalized": 70}, "Title": f"Something is wrong with bucket-{self._number}",
            "Description": "A text about it.", "Resources": [bucket], "Workflow": {"Status": "NEW"},
            "RecordState": "ACTIVE", **fields,
        }  # fmt: skip

    def _keep(self, row: dict[str, Any]) -> str:
        key = f"{row['ProductArn']}/{row['Id']}"
        self.findings[key] = row
        return key

    def _next(self) -> int:
        self._number += 1
        return self._number


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
