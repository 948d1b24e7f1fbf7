"""The service's own settings: what they are by default, and what is said of a bad one."""

from pathlib import Path

import platformdirs
import pytest

from tidegate.config import ConfigurationError, Settings, load_settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TIDEGATE_{name.upper()}", raising=False)


def test_without_any_variable_everything_has_a_value():
    settings = load_settings()

    assert settings.home == platformdirs.user_data_path("tidegate")
    assert (settings.database_url, settings.secret_key) == (None, None)
    assert (settings.lease_seconds, settings.private_networks) == (30, "allow")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIDEGATE_HOME", "here")
    monkeypatch.setenv("TIDEGATE_LEASE_SECONDS", "60")
    monkeypatch.setenv("TIDEGATE_PRIVATE_NETWORKS", "refuse")
    monkeypatch.setenv("TIDEGATE_DATABASE_URL", "")

    settings = load_settings()

    assert settings.home == tmp_path / "here"
    assert (settings.lease_seconds, settings.private_networks, settings.database_url) == (60, "refuse", None)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "TIDEGATE_LEASE_SECONDS",
            "soon",
            (
                "TIDEGATE_LEASE_SECONDS is 'soon', which is not usable; set it to"
                " the seconds after which a silent worker loses its Operation, a whole number from 1 to 3600,"
                " or unset it."
            ),
        ),
        (
            "TIDEGATE_PRIVATE_NETWORKS",
            "maybe",
            (
                "TIDEGATE_PRIVATE_NETWORKS is 'maybe', which is not usable; set it to"
                ' "allow" or "refuse": whether Tools may live in private networks, or unset it.'
            ),
        ),
        (
            "TIDEGATE_PROXY",
            "socks5://user:hunter2@proxy",
            (
                "TIDEGATE_PROXY is not usable; set it to http://user:password@proxy.example.org:3128, the proxy"
                " of every outgoing request, of Connections that name none themselves and of news; HTTPS_PROXY is not"
                " read, or unset it."
            ),
        ),
        (
            "TIDEGATE_HOME",
            "a\nb",
            (
                r"TIDEGATE_HOME is 'a\nb', which is not usable; set it to"
                " the folder for everything Tidegate stores, as a path without control characters, or unset it."
            ),
        ),
        (
            "TIDEGATE_HOME",
            "~no-such-user/here",
            (
                "TIDEGATE_HOME is '~no-such-user/here', which is not usable; set it to"
                " the folder for everything Tidegate stores, as a path without control characters, or unset it."
            ),
        ),
    ],
)
def test_a_bad_value_is_explained_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
):
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as error:
        load_settings()

    assert str(error.value) == sentence
    assert error.value.__suppress_context__


def test_a_secret_setting_shows_itself_nowhere(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_SECRET_KEY", "s3cr3t")
    monkeypatch.setenv("TIDEGATE_DATABASE_URL", "postgresql://me:s3cr3t@host/name")

    settings = load_settings()

    assert "s3cr3t" not in repr(settings) + str(settings.model_dump())


@pytest.mark.parametrize("zone", ["Europe/Berln", "europe/berlin", "../UTC", "/etc/localtime"])
def test_a_zone_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, zone: str):
    monkeypatch.setenv("TIDEGATE_TIME_ZONE", zone)

    with pytest.raises(ConfigurationError, match="set it to the name of a time zone, such as Europe/Berlin"):
        load_settings()


def test_a_zone_of_the_tz_database_is_taken(monkeypatch: pytest.MonkeyPatch):
    assert load_settings().time_zone == "UTC"

    monkeypatch.setenv("TIDEGATE_TIME_ZONE", "Europe/Berlin")

    assert load_settings().time_zone == "Europe/Berlin"
