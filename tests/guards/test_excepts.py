"""No bare except, no except-and-go-on (house-style.md, 11)."""

import ast

import pytest

from tests.guards.repository import name, ours

EVERYTHING = {"Exception", "BaseException"}


def findings(path: str, source: str) -> list[str]:
    return [f"{path}:{line}" for node in ast.walk(ast.parse(source, path)) for line in swallowing(node)]


def swallowing(node: ast.AST) -> list[int]:
    """The line of the node, where it swallows every error."""
    if isinstance(node, ast.ExceptHandler):
        swallows = node.type is None or (catches_everything(node.type) and all(map(goes_on, node.body)))
        return [node.lineno] if swallows else []
    if isinstance(node, ast.Call) and last_name(node.func) == "suppress":
        return [node.lineno] if any(map(catches_everything, node.args)) else []
    return []


def catches_everything(expression: ast.expr) -> bool:
    parts = expression.elts if isinstance(expression, ast.Tuple) else [expression]
    return any(last_name(part) in EVERYTHING for part in parts)


def goes_on(line: ast.stmt) -> bool:
    return isinstance(line, ast.Pass | ast.Continue) or (
        isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
    )


def last_name(expression: ast.expr) -> str:
    return expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")


def test_no_error_is_swallowed():
    found = [line for path in ours() for line in findings(name(path), path.read_text())]

    assert found == []


@pytest.mark.parametrize(
    "handler",
    [
        "except:\n    raise",
        "except Exception:\n    pass",
        "except (ValueError, Exception):\n    ...",
        "except BaseException: 'x'",
    ],
)
def test_the_guard_sees_one(handler: str):
    assert findings("a.py", f"try:\n    f()\n{handler}") == ["a.py:3"]


def test_the_guard_sees_a_suppress_of_everything():
    assert findings("a.py", "with contextlib.suppress(Exception):\n    f()") == ["a.py:1"]


def test_the_guard_leaves_one_handled_error_alone():
    assert findings("a.py", "try:\n    f()\nexcept FileNotFoundError:\n    pass") == []
