"""The Location URL: what people paste from their browser, made into the address where Burp's paths begin."""

import re
from urllib.parse import urlsplit, urlunsplit

SCREENS = frozenset({
    "agents", "api", "api-internal", "dashboard", "extensions", "folders", "graphql", "home", "issues", "login",
    "scans", "schedule", "settings", "sites", "team",
})  # fmt: skip
"""First words of the paths of Burp's own screens and APIs; what stands before them is where a proxy put Burp."""
_USUAL = {"https": 443, "http": 80}
"""Left out, so that one server is one account however its address was typed."""


def location(pasted: str) -> str:
    """`burp:8443/scans/12#issues` → `https://burp:8443/`; raises ValueError with a sentence for a person."""
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
        raise ValueError("The location must not hold a user name or password; the API key has a field of its own.")
    if not parts.hostname or re.search(r"\s", parts.netloc):
        raise ValueError("The location needs a host, such as https://burp.example.org:8443.")
    if odd := re.search(r"""[<>"'`\\|^{}*,;]""", parts.netloc):
        raise ValueError(f"The location's host holds {odd[0]}, which no host's name does.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    origin = host if port in (None, _USUAL[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, origin, _before_screens(parts.path), "", ""))


def _before_screens(path: str) -> str:
    kept: list[str] = []
    for word in filter(None, path.split("/")):
        if word in SCREENS:
            break
        kept.append(word)
    return "".join(f"/{word}" for word in kept) + "/"
