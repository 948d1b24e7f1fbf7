"""The Location URL: what people paste from their browser, made into the address where SonarQube's paths begin."""

import re
from urllib.parse import urlsplit, urlunsplit

SCREENS = frozenset({
    "account", "admin", "api", "background_tasks", "code", "coding_rules", "component_measures", "dashboard",
    "dependencies", "dependency-risks", "documentation", "explore", "issues", "login", "organizations", "portfolio",
    "portfolios", "profiles", "project", "projects", "quality_gates", "security_hotspots", "sessions", "summary",
    "web_api", "web_api_v2",
})  # fmt: skip
"""First words of the paths of SonarQube's own screens and APIs; before them stands the server's context path."""
CLOUD = {"sonarcloud.io": "sonarcloud.io", "www.sonarcloud.io": "sonarcloud.io", "sonarqube.us": "sonarqube.us"}
"""The hosts of SonarQube Cloud (EU and US region), where a project is found only by its organization."""
_USUAL = {"https": 443, "http": 80}


def location(pasted: str) -> str:
    """`sonar.example.org/dashboard?id=shop` → `https://sonar.example.org/`; raises ValueError with a sentence."""
    text = pasted.strip()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"The location is no address: {error}.") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"The location must begin with https:// or http://, not {parts.scheme}://.")
    if "@" in parts.netloc:
        raise ValueError("The location must not hold a user name or password; the token has a field of its own.")
    if not parts.hostname or re.search(r"\s", parts.netloc):
        raise ValueError("The location needs a host, such as https://sonar.example.org.")
    if odd := re.search(r"""[<>"'`\\|^{}*,;]""", parts.netloc):
        raise ValueError(f"The location's host holds {odd[0]}, which no host's name does.")
    name = CLOUD.get(parts.hostname, parts.hostname)
    host = f"[{name}]" if ":" in name else name
    origin = host if port in (None, _USUAL[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, origin, _before_screens(parts.path), "", ""))


def is_cloud(url: str) -> bool:
    """Whether it is SonarQube Cloud, which is asked by organization."""
    return urlsplit(url).hostname in CLOUD


def _before_screens(path: str) -> str:
    kept: list[str] = []
    for word in filter(None, path.split("/")):
        if word in SCREENS:
            break
        kept.append(word)
    return "".join(f"/{word}" for word in kept) + "/"
