"""The Location URL: what people paste from their browser, made into the address of Checkmarx One in their region."""

import re
from urllib.parse import urlsplit

from tidegate_sdk import Location

_PASTED = Location(
    "https://eu.ast.checkmarx.net",
    secret="API key",  # noqa: S106 - what it is called
    screens=frozenset(
        {
            "api", "applications", "applicationsAndProjects", "auth", "container-security-results", "home", "projects",
            "results", "sast-results", "sca", "scans", "spec", "workspace",
        }
    ),
)  # fmt: skip
_OF_CHECKMARX = re.compile(r"((?:[a-z0-9-]+\.)*)(?:ast|iam)\.checkmarx\.net")
"""The hosts of every region come in pairs: `eu.ast.checkmarx.net` has its logins at `eu.iam.checkmarx.net`."""


def location(pasted: str) -> str:
    """`eu.iam.checkmarx.net/auth/realms/acme` → `https://eu.ast.checkmarx.net/`."""
    url = _PASTED(pasted)
    found = _OF_CHECKMARX.fullmatch(urlsplit(url).netloc)
    return f"https://{found[1]}ast.checkmarx.net/" if found else url


def login_location(pasted: str) -> str:
    """The address of the logins, where somebody has to say it; "" where nobody does."""
    return _PASTED(pasted) if pasted.strip() else ""


def logins_of(url: str) -> str:
    """Where the logins of that address are; "" for a host of one's own, which does not tell."""
    found = _OF_CHECKMARX.fullmatch(urlsplit(url).netloc)
    return f"https://{found[1]}iam.checkmarx.net/" if found else ""
