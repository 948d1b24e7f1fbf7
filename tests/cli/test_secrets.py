"""`tidegate secrets`: which key seals what, a new key for all of it, and a key that is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_a_new_key_and_the_connection_goes_on(shop: Any, tmp_path: Path):
    key = (tmp_path / "home" / "secret.key").read_text().strip()

    before, rotated, after = shop("secrets", "status"), shop("secrets", "rotate"), shop("secrets", "status")

    assert [ran.code for ran in (before, rotated, after)] == [0, 0, 0]
    assert "The one that is sealed can be opened." in before.out
    assert "sealed 1 secret with it" in rotated.out
    assert "Retired " in rotated.out
    assert "by alice" in after.out
    assert key not in (tmp_path / "home" / "secret.key").read_text()
    for ran in (before, rotated, after):
        assert key not in ran.out + ran.err
        assert (tmp_path / "home" / "secret.key").read_text().split()[0] not in ran.out + ran.err
    assert shop("sync", "Burp").code == 0


def test_a_lost_key_is_named_with_what_it_concerns(shop: Any, tmp_path: Path):
    lost = shop.json("secrets", "status")["keys"][0]["id"]
    (tmp_path / "home" / "secret.key").unlink()
    rotated = shop("secrets", "rotate")

    status = shop("secrets", "status")

    assert (rotated.code, status.code) == (3, 3)
    assert "1 could not be opened" in rotated.err
    assert lost in status.out
    told = " ".join(status.out.split())
    assert "connection 1" in told
    assert "Burp" in told
    assert "another key" in told
    shown = " ".join(shop("connection", "show", "Burp").out.split())
    assert f"sealed with another key ({lost}" in shown
    assert shop("record", "list").code == 0


def test_keys_that_cannot_be_read_are_a_sentence(shop: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_SECRET_KEY_COMMAND", "false")

    for command in (("secrets", "status"), ("secrets", "rotate"), ("sync", "Burp"), ("doctor",)):
        ran = shop(*command)
        assert ran.code == 1, command
        told = " ".join((ran.out + ran.err).split())
        assert "The command of TIDEGATE_SECRET_KEY_COMMAND ended with code 1." in told, command
    assert shop("record", "list").code == 0


def test_a_rotation_that_is_not_through_is_a_warning_of_the_doctor(shop: Any, tmp_path: Path):
    from tidegate.guard.keys import add_key

    add_key(tmp_path / "home", "")

    checks = {check["name"]: check for check in shop.json("doctor")["checks"]}

    assert checks["key"]["result"] == "warn"
    assert "has 2 keys" in checks["key"]["what"]
    assert checks["connections"]["result"] == "ok"
