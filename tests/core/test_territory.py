"""Countries of addresses, from a MaxMind DB file that may be missing or damaged."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.access import territory
from appliance.errors import ConfigError
from appliance.settings import Access, Settings
from tests.conftest import Matinee
from tests.core import country_database


def _settings(settings: Settings, database: Path | str, home: str = "") -> Settings:
    return replace(
        settings, access=Access(geoip_database=str(database), home_country=home)
    )


@pytest.fixture
def located(settings: Settings, tmp_path: Path) -> Settings:
    """An installation in Switzerland that knows three networks."""
    path = country_database.countries(
        tmp_path / "countries.mmdb",
        DE="81.2.69.0/24",
        FR="2a01:cb00::/24",
        AT="81.2.70.7/32",
    )
    return _settings(settings, path, "ch")


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("81.2.69.142", "DE"),
        ("81.2.70.7", "AT"),
        ("81.2.70.8", None),
        ("2a01:cb00::1", "FR"),
        ("::ffff:81.2.69.142", "DE"),
        ("8.8.8.8", None),
        ("127.0.0.1", "CH"),
        ("::1", "CH"),
        ("10.1.2.3", "CH"),
        ("192.168.0.4", "CH"),
        ("100.64.0.1", "CH"),
        ("169.254.1.1", "CH"),
        ("fe80::1%eth0", "CH"),
        ("fd00::5", "CH"),
        ("", None),
        ("unix:", None),
        ("999.1.1.1", None),
    ],
)
def test_an_address_is_in_a_country(
    located: Settings, address: str, country: str | None
) -> None:
    assert territory.of_address(located, address) == country


def test_without_a_file_only_ones_own_network_is_known(settings: Settings) -> None:
    assert territory.of_address(settings, "81.2.69.142") is None
    assert territory.of_address(settings, "10.0.0.1") is None
    assert territory.of_address(_settings(settings, "", "DE"), "10.0.0.1") == "DE"


def test_files_of_other_makers_are_read_too(settings: Settings, tmp_path: Path) -> None:
    path = country_database.write(
        tmp_path / "other.mmdb",
        {
            "81.2.69.0/24": {"country_code": "de"},
            "81.2.70.0/24": {"registered_country": {"iso_code": "AT"}},
            "81.2.71.0/24": {"country": "FR"},
            "81.2.72.0/24": {"country": {"names": {"en": "Nowhere"}}},
            "81.2.73.0/24": "a text",
        },
    )
    others = _settings(settings, path)

    found = [territory.of_address(others, f"81.2.{n}.1") for n in range(69, 74)]

    assert found == ["DE", "AT", "FR", None, None]


def test_a_file_that_is_replaced_counts_from_the_next_question_on(
    settings: Settings, tmp_path: Path
) -> None:
    path = country_database.countries(tmp_path / "c.mmdb", DE="81.2.69.0/24")
    replaced = _settings(settings, path)
    assert territory.of_address(replaced, "81.2.69.1") == "DE"

    newer = country_database.countries(tmp_path / "new.mmdb", FR="81.2.69.0/24")
    os.utime(newer, ns=(1, path.stat().st_mtime_ns + 1_000_000))
    newer.replace(path)

    assert territory.of_address(replaced, "81.2.69.1") == "FR"


@pytest.mark.parametrize("content", [None, b"", b"no database", b"\xab\xcd\xef" * 99])
def test_a_missing_or_damaged_file_makes_countries_unknown_and_is_logged_once(
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    content: bytes | None,
) -> None:
    path = tmp_path / "damaged.mmdb"
    if content is not None:
        path.write_bytes(content)
    damaged = _settings(settings, path, "DE")

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert territory.of_address(damaged, "81.2.69.1") is None
    assert territory.of_address(damaged, "10.0.0.1") == "DE"
    assert [str(path) in each.getMessage() for each in caplog.records] == [True]

    with pytest.raises(ConfigError, match=r"access\.geoip_database: .*damaged\.mmdb"):
        territory.check(damaged)


def test_a_damaged_record_is_an_unknown_country(
    settings: Settings, tmp_path: Path
) -> None:
    path = country_database.countries(tmp_path / "c.mmdb", DE="81.2.69.0/24")
    whole = path.read_bytes()
    # The first record becomes a pointer into nothing.
    at = whole.index(b"\xe1\x47country")
    path.write_bytes(whole[:at] + b"\x3f\xff\xff\xff\xff" + whole[at + 5 :])

    assert territory.of_address(_settings(settings, path), "81.2.69.1") is None


def test_many_threads_ask_at_once(located: Settings) -> None:
    addresses = ["81.2.69.142", "81.2.70.7", "10.0.0.1"] * 200

    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda each: territory.of_address(located, each), addresses)
        )

    assert found == ["DE", "AT", "CH"] * 200


def test_a_home_that_is_no_country_is_refused(settings: Settings) -> None:
    territory.check(_settings(settings, "", "DE"))
    with pytest.raises(ConfigError, match="“XY” is no country code"):
        territory.check(_settings(settings, "", "XY"))


def test_the_commands_that_check_name_the_file(
    matinee: Matinee, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_ACCESS_GEOIP_DATABASE", "/nowhere/c.mmdb")

    checked = matinee("config", "check")
    assert checked.exit_code == 2
    assert "/nowhere/c.mmdb" in checked.stderr
    assert "FAIL  access.countries" in matinee("doctor").stdout
