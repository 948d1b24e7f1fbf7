"""The endpoint: what people paste (an address of the console, a region, an endpoint) made into what is called."""

import re
from urllib.parse import parse_qs, urlsplit

from tidegate_sdk import Location
from tidegate_sdk.aws import host_of, partition_of, region_of

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_LOCATION = Location("https://securityhub.eu-west-1.amazonaws.com", secret="access key")  # noqa: S106 - its name


def location(pasted: str) -> str:
    """`eu-west-1.console.aws.amazon.com/securityhub/home#/summary` → `https://securityhub.eu-west-1.amazonaws.com/`.

    Raises ValueError with a sentence.
    """
    text = pasted.strip()
    if region_of(text) == text.lower() != "":
        return f"https://{host_of('securityhub', text.lower())}/"
    url = _LOCATION(text)
    if not any(_is_below(urlsplit(url).hostname, console) for console in _CONSOLES.values()):
        return url
    named = parse_qs(urlsplit(text if "://" in text else f"https://{text}").query).get("region", [""])[0]
    region = named if re.fullmatch(r"[a-z0-9-]+", named) else region_of(urlsplit(url).hostname or "")
    if not region_of(region or "none"):
        raise ValueError("The console's address names no region, as in ?region=eu-west-1; enter the region alone.")
    return f"https://{host_of('securityhub', region)}/"


def console(region: str, page: str) -> str:
    """The address of one of Security Hub's screens."""
    host = _CONSOLES.get(partition_of(region)[0], _CONSOLES["aws"])
    return f"https://{host}/securityhub/home?region={region}#/{page}"


def _is_below(host: str | None, domain: str) -> bool:
    return host == domain or bool(host and host.endswith(f".{domain}"))
