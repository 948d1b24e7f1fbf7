"""One HTTP client, in one place: httpx2, in the SDK's Session."""

from tests.guards.repository import imported, name, ours

REFUSED_EVERYWHERE = {"aiohttp", "httpx", "pycurl", "requests", "urllib3"}
IN_THE_SDK_ALONE = {"httpx2"}
MAY_SPEAK = (
    "src/tidegate/cli/wire.py",  # the command line that asks a Tidegate elsewhere, at one address alone
    "src/tidegate/delivery/defectdojo/wire.py",  # writes to one server alone, through the SDK's checked transport
    "src/tidegate/delivery/errand.py",  # the child process that posts one webhook, its address checked before
    "src/tidegate/guard/issuer.py",  # what the log-in asks an issuer of OpenID Connect, behind the same guard
)


def findings(path: str, source: str) -> list[str]:
    if path in MAY_SPEAK:
        return [
            f"{path}:{line}: {package}" for line, package in imported(path, source) if package in REFUSED_EVERYWHERE
        ]
    refused = REFUSED_EVERYWHERE if path.startswith("sdk/src/") else REFUSED_EVERYWHERE | IN_THE_SDK_ALONE
    return [f"{path}:{line}: {package}" for line, package in imported(path, source) if package in refused]


def test_only_the_sdk_speaks_http():
    found = [line for path in ours() for line in findings(name(path), path.read_text())]

    assert found == []


def test_the_guard_sees_one():
    assert findings("sdk/src/tidegate_sdk/session.py", "import httpx") == ["sdk/src/tidegate_sdk/session.py:1: httpx"]
    assert findings("src/tidegate/cli/x.py", "def f():\n    from httpx2 import Client") == [
        "src/tidegate/cli/x.py:2: httpx2"
    ]
    assert findings("sdk/src/tidegate_sdk/session.py", "import httpx2") == []
