"""Which addresses are called, and that the check cannot be got round."""

from __future__ import annotations

import socket
import threading
from ipaddress import ip_address
from typing import Any

import httpcore2
import pytest

from sdk.tests.conftest import Open
from sdk.tests.plain import body_of
from sdk.tests.vendor import Vendor, answer
from tidegate_sdk import AddressPolicy, AddressRefused, VendorDown
from tidegate_sdk.address import CheckedBackend

NEVER = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "ff02::1",
    "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::ffff:0:169.254.169.254", "::169.254.169.254",
    "fd00:ec2::23", "fd00:c1::a9fe:a9fe", "fd00:42::42", "fd00:a9fe:a9fe::1", "fd00:100::100:200", "fd20:ce::254",
    "64:ff9b::169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b::100.100.100.200", "64:ff9b:1::1",
    "2002:a9fe:a9fe::1", "2001:0:1234::1",
]  # fmt: skip
PRIVATE = ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12:3456::1", "198.18.0.1"]
PUBLIC = ["8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8", "1.1.1.1"]


@pytest.mark.parametrize("private", ["allow", "refuse"])
@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_called(address: str, private: Any):
    assert AddressPolicy(private).refusal(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_one_setting(address: str):
    assert AddressPolicy().refusal(ip_address(address)) == ""
    assert AddressPolicy("refuse").refusal(ip_address(address)) == "a private address"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str):
    assert AddressPolicy("refuse").refusal(ip_address(address)) == ""


@pytest.mark.parametrize("name", ["metadata.google.internal", "Metadata.Google.Internal."])
def test_a_metadata_service_is_refused_by_name(name: str):
    with pytest.raises(AddressRefused, match="metadata service"):
        AddressPolicy().check(name, ["8.8.8.8"])


def test_one_bad_address_among_good_ones_is_enough():
    with pytest.raises(AddressRefused, match=r"vendor\.test \(169\.254\.1\.1\) is a link-local address"):
        AddressPolicy().check("vendor.test", ["8.8.8.8", "169.254.1.1"])


def test_a_zone_does_not_hide_an_address():
    with pytest.raises(AddressRefused, match="link-local"):
        AddressPolicy().check("fe80::1%eth0", ["fe80::1%eth0"])


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0xA9.0xFE.0xA9.0xFE",
        "169.16689662",
        "025177524776",
        "0251.0376.0251.0376",
        "0xa9.0376.43518",
        "169。254。169。254",
        "１６９.２５４.１６９.２５４",
        "[::ffff:a9fe:a9fe]",
        "0",
        "[::]",
    ],
)
async def test_no_spelling_of_a_metadata_address_is_called(opened: Open, host: str):
    async with opened(f"http://{host}/latest/") as session:
        with pytest.raises(AddressRefused):
            await session.talk(body_of("meta-data"))

    assert session.requests <= 1


async def test_private_networks_are_refused_where_the_operator_says_so(vendor: Vendor, opened: Open):
    vendor.on("/api/me", answer(200, {}))

    async with opened(vendor, policy=AddressPolicy("refuse")) as session:
        with pytest.raises(AddressRefused, match=r"private address.*operator can allow"):
            await session.talk(body_of())

    assert vendor.asked == []


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What the system's resolver says: for each name its answers in turn, the last one again and again."""
    known: dict[str, list[list[str]]] = {}

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        answers = known[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


async def test_a_name_that_leads_to_metadata_is_refused(opened: Open, names: dict[str, Any]):
    names["innocent.test"] = [["169.254.169.254"]]

    async with opened("http://innocent.test/") as session:
        with pytest.raises(AddressRefused, match=r"innocent\.test \(169\.254\.169\.254\) is a cloud's metadata"):
            await session.talk(body_of())


async def test_a_name_that_changes_its_answer_is_asked_once_and_connected_to_as_checked(
    vendor: Vendor, opened: Open, names: dict[str, Any]
):
    names["rebinding.test"] = [["127.0.0.1"], ["169.254.169.254"]]
    vendor.on("/api/me", answer(200, {"id": 1}, Connection="close"))

    async with opened(f"http://rebinding.test:{vendor.port}/api/") as session:
        assert await session.talk(body_of()) == {"id": 1}
        assert vendor.asked[0].headers["host"] == f"rebinding.test:{vendor.port}"
        with pytest.raises(AddressRefused):  # the next connection asks again, and is checked again
            await session.talk(body_of())


async def test_a_dead_address_gives_way_to_a_living_one(vendor: Vendor, opened: Open, names: dict[str, Any]):
    names["two.test"] = [["127.0.0.9", "127.0.0.1"]]
    vendor.on("/api/me", answer(200, {"id": 1}))

    async with opened(f"http://two.test:{vendor.port}/api/") as session:
        assert await session.talk(body_of()) == {"id": 1}


async def test_one_time_out_bounds_resolving_and_connecting(monkeypatch: pytest.MonkeyPatch):
    asleep = threading.Event()

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asleep.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    with pytest.raises(httpcore2.ConnectTimeout):
        await CheckedBackend(AddressPolicy()).connect_tcp("slow.test", 80, timeout=0.05)

    asleep.set()


async def test_a_host_that_is_no_name_at_all_is_told(opened: Open):
    async with opened(f"http://{'a' * 64}.test/") as session:
        with pytest.raises(VendorDown, match="does not resolve"):
            await session.talk(body_of())
