"""Signature Version 4 as its documentation describes it, written without botocore, which signs what is checked here.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from tidegate.demo.wire import Request

_TOLD = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Sig"
)
_LATE = timedelta(minutes=5)


def key_of(request: Request) -> str:
    """The access key that a request names; "" where it is not signed."""
    told = _TOLD.match(request.header("Authorization") or "")
    return told[1] if told else ""


def why_wrong(request: Request, secret: str, service: str) -> str:
    """AWS's sentence about a signature that is not right; "" for one that is."""
    authorization = request.header("Authorization") or ""
    told = _TOLD.match(authorization)
    date = request.header("X-Amz-Date") or ""
    if told is None or told[4] != service or not date.startswith(told[2]):
        return "Missing Authentication Token"
    signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - signed) > _LATE:
        return f"Signature expired: {date} is now earlier than the current time."
    if authorization.rpartition("=")[2] != _signature(request, secret, told, date):
        return "The request signature we calculated does not match the signature you provided."
    return ""


def _signature(request: Request, secret: str, told: re.Match[str], date: str) -> str:
    _, day, region, service, names = told.groups()
    parts = (
        request.method,
        quote(request.path, safe="/~"),
        "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in request.queries)),
        "".join(f"{name}:{' '.join((request.header(name) or '').split())}\n" for name in names.split(";")),
        names,
        hashlib.sha256(request.content).hexdigest(),
    )
    hashed = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    text = f"AWS4-HMAC-SHA256\n{date}\n{day}/{region}/{service}/aws4_request\n{hashed}"
    return hmac.new(key, text.encode(), "sha256").hexdigest()
