"""What Security Hub means by a refusal, beside what all of AWS does: its sentence says more than its status."""

import re
from collections.abc import Mapping
from typing import Any, cast

from tidegate_sdk import AccessDenied, ConnectorError, aws

_OFF = re.compile(r"(?i)not subscribed to AWS Security Hub|Security Hub is not enabled")


def refusal_of(body: Any) -> ConnectorError | None:
    """The error of a body that holds a message; a hub that is off answers 401, and no key would help."""
    told = cast("Mapping[str, Any]", body).get("Message") if isinstance(body, Mapping) else None
    told = told or (cast("Mapping[str, Any]", body).get("message") if isinstance(body, Mapping) else None)
    if isinstance(told, str) and _OFF.search(told[:2_000]):
        quoted = f'AWS says: "{" ".join(told.split())}"'
        return AccessDenied(quoted, "Enable Security Hub for this account in this region, or enter another region.")
    return aws.refusal_of(body)
