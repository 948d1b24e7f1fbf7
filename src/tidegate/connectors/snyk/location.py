"""The Location URL: what people paste from their browser, made into the address of Snyk's API in their region."""

import re

from tidegate_sdk import Location

_PASTED = Location(
    "https://api.eu.snyk.io",
    secret="API token",  # noqa: S106 - what it is called
    screens=frozenset({"account", "group", "groups", "login", "manage", "org", "orgs", "rest", "tenant", "v1"}),
    hosts={"snyk.io": "api.snyk.io", "www.snyk.io": "api.snyk.io", "snykgov.io": "api.snykgov.io"},
)
_OF_SNYK = re.compile(r"https?://(?:app|api)\.((?:[a-z0-9-]+\.)*snyk(?:gov)?\.io/.*)")
"""The screens and the API of a region, of the government's own, and of a single tenant."""


def location(pasted: str) -> str:
    """`app.eu.snyk.io/org/acme` → `https://api.eu.snyk.io/`. Snyk answers 404 to everything that comes without TLS."""
    url = _PASTED(pasted)
    return f"https://api.{found[1]}" if (found := _OF_SNYK.fullmatch(url)) else url


def screens(url: str) -> str:
    """Where the screens of that region are; a server that is not Snyk's has its own."""
    return f"https://app.{found[1]}" if (found := _OF_SNYK.fullmatch(url)) else url
