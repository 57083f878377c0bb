"""The doctor before certificates that are not as they should be."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.checks import Examined, Level
from appliance.clock import FixedClock
from appliance.errors import TryAgain
from appliance.operations.certificates import place, renewal, self_signed
from appliance.operations.certificates.accepting import Pair
from appliance.operations.certificates.place import Place, Source
from appliance.settings import Nginx, Outbound, Portal, Settings
from tests.doubles.authority import NOW, Authority
from tests.unwell import unwell, well

HOST = "films.example"
ROOT = Authority()
MIDDLE = Authority("Example Issuing", ROOT)
IDS = ("tls.name", "tls.chain", "tls.expiry", "tls.key")


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return Place(tmp_path / "tls" / "certificate.pem", tmp_path / "tls" / "key.pem")


@pytest.fixture
def examined(settings: Settings, here: Place, tmp_path: Path) -> Examined:
    bundle = tmp_path / "root.pem"
    bundle.write_bytes(ROOT.pem)
    used = replace(
        settings,
        portal=Portal(public_url=f"https://{HOST}"),
        nginx=Nginx(tls_certificate=str(here.certificate), tls_key=str(here.key)),
        outbound=Outbound(ca_bundle=str(bundle)),
    )
    return Examined(used, FixedClock(NOW))


def put(here: Place, given: Pair, source: Source = Source.OWN) -> None:
    with place.alone(here):
        place.put(here, given, source, NOW)


def own(*names: str, above: bytes = MIDDLE.pem, days: int = 80) -> Pair:
    certificate, key = MIDDLE.issue(*names, ends=NOW + timedelta(days=days))
    return Pair(certificate + above, key)


def test_one_that_is_right_in_everything(examined: Examined, here: Place) -> None:
    put(here, own(HOST))

    for each in IDS:
        well(each, examined)


def test_one_of_this_machine_is_right_too(examined: Examined, here: Place) -> None:
    put(here, self_signed.make((HOST,), NOW), Source.SELF_SIGNED)

    for each in IDS:
        well(each, examined)


def test_without_tls_there_is_nothing_to_look_at(settings: Settings) -> None:
    for each in IDS:
        well(each, Examined(settings, FixedClock(NOW)))


def test_one_that_is_not_there(examined: Examined) -> None:
    for each in IDS:
        found = unwell(each, examined, Level.FAIL)
        assert "self-signed" in f"{found.sentence} {found.fix}"


def test_one_for_another_name(examined: Examined, here: Place) -> None:
    put(here, own("other.example"))

    found = unwell("tls.name", examined, Level.FAIL)

    assert HOST in found.sentence


def test_a_chain_with_a_gap(examined: Examined, here: Place) -> None:
    put(here, own(HOST, above=b""))

    found = unwell("tls.chain", examined, Level.FAIL)

    assert "Example Issuing" in found.sentence
    assert "matinee tls install" in found.fix


def test_an_end_that_is_near_and_what_kept_it_from_renewal(
    examined: Examined, here: Place
) -> None:
    put(here, own(HOST, days=5), Source.ACME)
    renewal.failed(here.acme, TryAgain("acme.slow", "Nobody answered."), NOW)

    found = unwell("tls.expiry", examined, Level.WARN)

    assert "Nobody answered." in found.sentence
    assert "matinee tls renew" in found.fix


def test_an_end_that_is_past(examined: Examined, here: Place) -> None:
    put(here, own(HOST, days=-1))

    unwell("tls.expiry", examined, Level.FAIL)


def test_a_clock_that_is_behind(examined: Examined, here: Place) -> None:
    put(here, own(HOST))
    early = replace(examined, clock=FixedClock(NOW - timedelta(days=60)))

    assert "timedatectl" in unwell("tls.expiry", early, Level.FAIL).fix


def test_a_key_that_others_may_read(examined: Examined, here: Place) -> None:
    put(here, own(HOST))
    here.key.chmod(0o644)

    assert "chmod 600" in unwell("tls.key", examined, Level.FAIL).fix


def test_a_key_of_another_certificate(examined: Examined, here: Place) -> None:
    put(here, own(HOST))
    here.key.write_bytes(own(HOST).key)

    found = unwell("tls.key", examined, Level.FAIL)

    assert "does not belong" in found.sentence


def test_renewal_comes_before_the_warning(here: Place, settings: Settings) -> None:
    put(here, own(HOST), Source.ACME)
    found = place.described(here)
    tls = settings.tls
    renewed = found.ends - timedelta(days=tls.renew_days)

    assert not renewal.due(found, Source.ACME, tls, renewed - timedelta(hours=1))
    assert renewal.due(found, Source.ACME, tls, renewed)
    assert not renewal.due(found, Source.OWN, tls, found.ends)
    assert tls.renew_days > tls.warn_days


def test_a_server_is_left_alone_longer_and_longer(tmp_path: Path) -> None:
    error = TryAgain("acme.slow", "Nobody answered.")

    waits = [renewal.failed(tmp_path, error, NOW).until - NOW for _ in range(7)]

    assert [each.total_seconds() / 3600 for each in waits] == [1, 2, 4, 8, 16, 24, 24]
    assert renewal.waiting(tmp_path, NOW) is not None
    renewal.succeeded(tmp_path)
    assert renewal.waiting(tmp_path, NOW) is None
