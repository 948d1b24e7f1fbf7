"""Burp's ids, checked on the way in."""

from typing import Any

from tidegate_sdk import VendorChanged
from tidegate_sdk.fields import shown


def identifier(value: Any) -> str:
    """A non-empty text, as GraphQL writes an ID; a number could be another thing's name."""
    if not isinstance(value, str) or not value.strip():
        raise VendorChanged(f"An id is {shown(value)} where Burp documents text.")
    return value
