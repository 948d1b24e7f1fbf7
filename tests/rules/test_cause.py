"""How an Operation failed, and whether it waits for a person."""

from __future__ import annotations

import ssl
from importlib import import_module

import psycopg
import pytest
from django.db import OperationalError, ProgrammingError

import tests.database  # noqa: F401 - Django's settings, before its models are imported
from tidegate.catalog import Unusable
from tidegate.ingest.login import AccountChanged
from tidegate.ingest.run import Cancelled
from tidegate.ingest.stage import SpoolFailed
from tidegate.rules import cause
from tidegate.rules.cause import CAUSES, cause_of, needs_you, the_cause, worst_cause
from tidegate_sdk import (
    AccessDenied,
    AddressRefused,
    AuthRejected,
    CertificateUnknown,
    ClientCertificateRefused,
    ConnectorError,
    Incomplete,
    NotFound,
    PinMismatch,
    ProxyRefused,
    TotalMoved,
    VendorChanged,
    VendorDown,
)
from tidegate_sdk.tls import explain


class FullyRejected(AuthRejected):
    """A third party's connector may tell more precisely; what to do is the same."""


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (AuthRejected("401"), "auth_rejected"),
        (FullyRejected("401"), "auth_rejected"),
        (AccessDenied("403"), "access_denied"),
        (NotFound("404"), "not_found"),
        (VendorDown("burp.example.org answered 503."), "vendor_down"),
        (VendorChanged("no JSON"), "vendor_changed"),
        (Incomplete("page 3 of 5"), "incomplete"),
        (TotalMoved("5, then 6"), "incomplete"),
        (AddressRefused("169.254.169.254"), "address_refused"),
        (AccountChanged("another"), "account_changed"),
        (Unusable("The key is lost.", "Put it back."), "unusable"),
        (SpoolFailed("No space left."), "disk"),
        (OperationalError("the connection is lost"), "database"),
        (ProgrammingError("no such table"), "database"),
        (psycopg.OperationalError("terminating connection"), "database"),
        (Cancelled("Cancelled by alice."), ""),
        (KeyboardInterrupt(), ""),
        (ZeroDivisionError(), "fault"),
        (MemoryError(), "fault"),
        (OSError(5, "I/O error"), "fault"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_each_failure_has_the_word_for_what_to_do(error: BaseException, word: str):
    assert cause_of(error) == word


def test_what_is_new_to_the_rules_and_needs_nothing_special_is_a_fault_of_ours():
    assert cause_of(ConnectorError("a kind that nobody knows")) == "fault"


@pytest.mark.parametrize("code", [9, 10, 18, 20, 62, 23])
def test_a_certificate_is_never_waited_out(code: int):
    """Issue 4, 9: a certificate needs you, although the SDK tells it as a vendor that does not answer."""
    refused = ssl.SSLCertVerificationError("verify failed")
    refused.verify_code, refused.verify_message = code, "something"
    told = explain(refused, "https://burp.example.org")

    assert told is not None
    assert cause_of(told) == "certificate", str(told)
    assert needs_you("certificate")


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (CertificateUnknown("The certificates of this Connection cannot be read."), "certificate"),
        (PinMismatch("The certificate of burp.example.org is not the pinned one."), "certificate"),
        (ClientCertificateRefused("https://burp.example.org asks for a client certificate."), "certificate"),
        (VendorDown("https://burp.example.org does not speak TLS."), "certificate"),
        (VendorDown('https://x/certificates answered 503. It says: "The certificate of x has expired"'), "vendor_down"),
    ],
)
def test_only_what_the_sdk_says_of_tls_is_a_certificate(error: ConnectorError, word: str):
    assert cause_of(error) == word


def test_a_proxy_that_refuses_is_never_waited_out():
    assert cause_of(ProxyRefused("The proxy p:3128 asks for a user and a password (407).")) == "proxy_refused"
    assert needs_you("proxy_refused")


def test_our_own_full_disk_is_not_the_vendors_failure():
    full = Incomplete("The answer could not be kept on Tidegate's own disk (No space left on device).")

    assert cause_of(full) == "disk"


def test_every_class_that_is_told_by_its_name_is_still_there():
    for name in cause._BY_CLASS:
        module, _, attribute = name.rpartition(".")
        found = getattr(import_module(module), attribute)
        assert f"{found.__module__}.{found.__qualname__}" == name


def test_every_word_has_a_next_step_and_is_of_one_kind():
    recovering = {word for word, found in CAUSES.items() if not found.needs_you}

    assert recovering == {"vendor_down", "database", "incomplete"}
    assert all(found.next_step for found in CAUSES.values())
    assert {word for word in cause._BY_CLASS.values() if word} < CAUSES.keys()


def test_a_word_that_nobody_knows_waits_for_a_person():
    """house-style.md, 10: no default for the unknown."""
    assert the_cause("of a later version").needs_you
    assert the_cause("").next_step


def test_of_several_causes_the_one_that_needs_a_person_most_counts():
    assert worst_cause(["incomplete", "access_denied", "vendor_down"]) == "access_denied"
    assert worst_cause(["incomplete", "", "vendor_down"]) == "vendor_down"
    assert worst_cause(["", ""]) == ""
    assert worst_cause(["of a later version"]) == "of a later version"
