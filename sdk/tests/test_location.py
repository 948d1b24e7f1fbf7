"""What people paste from their browser becomes the address that is called, or a sentence."""

from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, ValidationError

from tidegate_sdk import Location

LOCATION = Location(
    "https://acme.example.org",
    secret="token",
    screens=frozenset({"projects", "api"}),
    hosts={"app.acme.test": "api.acme.test"},
)


class Form(BaseModel):
    url: Annotated[str, AfterValidator(LOCATION)]


@pytest.mark.parametrize(
    ("pasted", "called"),
    [
        ("https://acme.example.org", "https://acme.example.org/"),
        (" acme:8443/projects/12?tab=x#issues ", "https://acme:8443/"),
        ("http://acme/tools/acme/api/", "http://acme/tools/acme/"),
        ("HTTPS://ACME.example.org:443//a//", "https://acme.example.org/a/"),
        ("http://acme:80", "http://acme/"),
        ("http://[::1]:9000/api", "http://[::1]:9000/"),
        ("app.acme.test/projects/7", "https://api.acme.test/"),
        ("https://app.acme.test:8443", "https://api.acme.test:8443/"),
    ],
)
def test_what_is_pasted_becomes_what_is_called(pasted: str, called: str):
    assert Form(url=pasted).url == called
    assert LOCATION(called) == called


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("", "needs a host, such as https://acme.example.org"),
        ("https://", "needs a host"),
        ("https:///api", "needs a host"),
        ("https://acme .test", "needs a host"),
        ("ftp://acme.test", "must begin with https:// or http://, not ftp://"),
        ("javascript:alert(1)", "is no address"),
        ("https://bot:secret@acme.test", "the token has a field of its own"),
        ("https://acme.test:99999", "is no address"),
        ("https://[::1", "is no address"),
        ("https://acme.test,b.test", "holds ,"),
        ("https://a<b>.test", "holds <"),
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(pasted: str, told: str):
    with pytest.raises(ValidationError, match=told):
        Form(url=pasted)


def test_what_is_refused_is_not_quoted_where_it_holds_a_password():
    with pytest.raises(ValueError, match="must not hold") as caught:
        LOCATION("https://bot:hunter2@acme.test")

    assert "hunter2" not in str(caught.value)
