"""Secrets stay SecretStr until the wire (house-style.md, 13)."""

import ast

from tests.guards.repository import name, ours

MAY_REVEAL = (
    "sdk/src/tidegate_sdk/auth.py",  # the wire
    "sdk/src/tidegate_sdk/auth/",
    "src/tidegate/guard/",  # encrypts them at rest
    "src/tidegate/delivery/courier.py",  # the wire of news: hands an address to the process that sends
    "src/tidegate/delivery/deliver.py",  # and the secret that signs them
    "src/tidegate/actions/user.py",  # a password on its way into its hash
    "src/tidegate/actions/route.py",  # a webhook's address and secret on their way to be looked at and signed with
    "src/tidegate/actions/trigger.py",  # compared with the signature of a call
    # What is shown once, to whoever asked for it just now.
    "src/tidegate/api/notification.py",
    "src/tidegate/api/token.py",
    "src/tidegate/api/trigger.py",
    "src/tidegate/cli/token.py",
    "src/tidegate/ui/pages/setting.py",
    "src/tidegate/cli/connection.py",
    "src/tidegate/cli/route.py",
    "src/tidegate/cli/wire.py",  # the wire to a Tidegate elsewhere: its token, and secrets on their way there
    "src/tidegate/server/postgres/database.py",  # the wire to a given database is libpq
)


def findings(path: str, source: str) -> list[str]:
    if path.startswith(MAY_REVEAL):
        return []
    nodes = ast.walk(ast.parse(source, path))
    return [f"{path}:{node.lineno}" for node in nodes if isinstance(node, ast.Attribute) and reveals(node.attr)]


def reveals(attribute: str) -> bool:
    return attribute in ("get_secret_value", "_secret_value")


def test_a_secret_is_revealed_only_at_the_wire_and_in_the_guard():
    found = [line for path in ours() for line in findings(name(path), path.read_text())]

    assert found == []


def test_the_guard_sees_one():
    assert findings("src/tidegate/cli/x.py", "token.get_secret_value()") == ["src/tidegate/cli/x.py:1"]
    assert findings("src/tidegate/guard/seal.py", "token.get_secret_value()") == []
