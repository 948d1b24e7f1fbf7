"""Report bucket: the same reports, below a prefix of a bucket in S3 or in what speaks like it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from tidegate_sdk import Account, Ask, Bucket, ConnectorError, Credential, HttpSettings, Location, Talk
from tidegate_sdk.aws import AssumedRole, Keys, SigV4, host_of, refusal_of

from .connector import Reports

_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)
_ENDPOINT = Location("https://minio.example.org:9000", secret="access key")  # noqa: S106 - its name


def s3_url(pasted: str) -> str:
    """`s3://reports/nightly` → `s3://reports/nightly/`; raises ValueError with a sentence."""
    found = _URL.fullmatch(pasted.strip())
    if found is None:
        raise ValueError("Enter bucket and prefix as s3://bucket/prefix.")
    prefix = (found[2] or "").strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/") if prefix) or not prefix.isprintable():
        raise ValueError("The prefix must not hold empty parts, . or .., nor characters that cannot be seen.")
    return f"s3://{found[1]}/{prefix}/" if prefix else f"s3://{found[1]}/"


class ReportBucketSettings(HttpSettings):
    url: Annotated[str, AfterValidator(s3_url)] = Field(
        title="S3 URL",
        description="Bucket and prefix. Each folder directly below it is a Record; reports may lie anywhere inside. "
        "Reports lying directly in it are (no product).",
        examples=["s3://acme-reports/nightly"],
        max_length=1200,
    )
    region: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9-]*$")] = Field(
        "", title="Region", description="Of the bucket, such as eu-west-1; not needed with an endpoint of your own."
    )
    access_key_id: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        "",
        title="Access key ID",
        description="Of a user with s3:ListBucket on the bucket and s3:GetObject below the prefix; empty for a bucket "
        "that is open to all.",
    )
    secret_access_key: SecretStr | None = Field(None, title="Secret access key", description="Of that access key.")
    session_token: SecretStr | None = Field(
        None, title="Session token", description="Only for temporary keys (ASIA…), which end within hours."
    )
    role: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^(arn:[\w-]+:iam::\d{12}:role/\S+)?$")] = (
        Field("", title="Role to assume", description="Its ARN, where the user itself may do no more than assume it.")
    )
    external_id: SecretStr | None = Field(
        None, title="External ID", description="If the trust policy of the role asks for one."
    )
    endpoint_url: Annotated[str, AfterValidator(lambda told: told and _ENDPOINT(told))] = Field(
        "",
        title="Endpoint URL",
        description="Of what speaks like S3 (MinIO, Ceph), or of a VPC; empty for Amazon's own.",
        examples=["https://minio.example.org:9000"],
    )

    @model_validator(mode="after")
    def is_whole(self) -> Self:
        """A signature needs both halves of a key, and the region."""
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("access key ID and secret access key belong together: enter both or none")
        if not self.region and not self.endpoint_url:
            raise ValueError("the region of the bucket is missing")
        if self.role and (self.endpoint_url or not self.access_key_id):
            raise ValueError("a role is assumed at Amazon with an access key; enter the key, and no other endpoint")
        return self

    @property
    def place(self) -> str:
        """The region that is signed for; what speaks like S3 mostly calls its only one so."""
        return self.region or "us-east-1"


class ReportBucket(Reports[ReportBucketSettings]):
    slug, name = "report_bucket", "Report bucket"

    def door(self) -> Bucket:
        """The bucket stands in the path: as a part of the host, one with a dot would have no certificate."""
        told = self.settings
        bucket, _, prefix = told.url.removeprefix("s3://").partition("/")
        endpoint = told.endpoint_url or f"https://{host_of('s3', told.place)}/"
        return Bucket(told.door(f"{endpoint}{bucket}/", self._credential(), per_second=20), prefix)

    def _credential(self) -> Credential | None:
        told = self.settings
        if not told.access_key_id or told.secret_access_key is None:
            return None
        keys = Keys(told.access_key_id, told.secret_access_key, told.session_token)
        if not told.role:
            return SigV4(keys, "s3", told.place)
        sts = told.login_door(f"https://{host_of('sts', told.place)}/", SigV4(keys, "sts", told.place))
        return AssumedRole(sts, told.role, "s3", told.place, told.external_id)

    def refusal(self, body: Any) -> ConnectorError | None:
        return refusal_of(body)

    def account(self) -> Talk[Account]:
        yield Ask()
        return Account(id=f"{self.settings.endpoint_url}{self.settings.url}", name=self.settings.url)
