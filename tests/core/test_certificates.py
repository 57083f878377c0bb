"""Certificates: what is refused and why, what this machine signs, how they change."""

import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from appliance.errors import InvalidInput, Locked, NotFound, PreconditionFailed
from appliance.operations.certificates import (
    accepting,
    keys,
    place,
    reading,
    self_signed,
)
from appliance.operations.certificates.accepting import Pair
from appliance.operations.certificates.place import Place, Source
from tests.doubles.authority import NOW, Authority, written

HOST = "films.example"
ROOT = Authority()
MIDDLE = Authority("Example Issuing", ROOT)
TRUSTED = (ROOT.certificate,)


def pair(*more: Authority, leaf: tuple[bytes, bytes] | None = None) -> Pair:
    certificate, key = leaf or MIDDLE.issue(HOST)
    return Pair(certificate + b"".join(each.pem for each in more), key)


def refused(given: Pair, host: str = HOST) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        accepting.require(given, host, NOW, TRUSTED)
    body = given.key.partition(b"\n")[2][:40].decode()
    assert not body or body not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("above", [(MIDDLE,), (MIDDLE, ROOT)])
def test_one_that_browsers_would_take_is_taken(above: tuple[Authority, ...]) -> None:
    found = accepting.require(pair(*above), HOST, NOW, TRUSTED)

    assert found.names == (HOST,)
    assert found.issuer == "Example Issuing"
    assert (found.self_signed, found.key) == (False, "EC secp256r1")
    assert found.days_left(NOW) == 80


def test_one_of_a_company_is_taken_with_its_root_in_the_file() -> None:
    company = Authority("Own Root")

    found = accepting.require(
        pair(company, leaf=company.issue(HOST)), HOST, NOW, TRUSTED
    )

    assert found.chain == ("Own Root",)


def test_a_key_of_another_certificate_is_refused() -> None:
    other = MIDDLE.issue(HOST)[1]

    error = refused(replace(pair(MIDDLE), key=other))

    assert error.code == "tls.key-mismatch"
    assert "does not belong" in error.message


def test_a_chain_that_begins_with_its_authority_is_refused() -> None:
    certificate, key = MIDDLE.issue(HOST)

    error = refused(Pair(MIDDLE.pem + certificate, key))

    assert error.code == "tls.order"
    assert "wrong order" in error.message


def test_a_chain_in_another_order_above_is_refused() -> None:
    error = refused(pair(ROOT, MIDDLE))

    assert error.code == "tls.order"
    assert "after “films.example” comes" in error.message


@pytest.mark.parametrize("above", [(), (ROOT,)])
def test_a_chain_with_a_gap_says_who_is_missing_and_where_he_lies(
    above: tuple[Authority, ...],
) -> None:
    leaf = MIDDLE.issue(HOST, at="http://ca.example/issuing.crt")

    error = refused(pair(*above, leaf=leaf))

    assert error.code == "tls.chain"
    assert "Example Issuing" in error.message
    assert "http://ca.example/issuing.crt" in error.message


def test_an_unknown_authority_may_be_made_known() -> None:
    company = Authority("Own Root")
    given = pair(leaf=company.issue(HOST))

    error = refused(given)
    found = accepting.require(given, HOST, NOW, (company.certificate,))

    assert "matinee trust add" in error.message
    assert found.issuer == "Own Root"


def test_one_that_has_ended_is_refused() -> None:
    error = refused(pair(MIDDLE, leaf=MIDDLE.issue(HOST, ends=NOW - timedelta(days=1))))

    assert (error.code, "2026-05-31" in error.message) == ("tls.expired", True)


def test_one_that_has_not_begun_is_refused_and_the_clock_is_named() -> None:
    later = NOW + timedelta(days=1)
    error = refused(pair(MIDDLE, leaf=MIDDLE.issue(HOST, begins=later)))

    assert error.code == "tls.not-yet"
    assert "timedatectl" in error.message


def test_a_chain_that_has_ended_above_is_refused() -> None:
    old = Authority("Old Issuing", ROOT, ends=NOW - timedelta(days=1))
    error = refused(pair(old, leaf=old.issue(HOST)))

    assert error.code == "tls.chain-expired"
    assert "Old Issuing" in error.message


@pytest.mark.parametrize(
    ("held", "typed"),
    [
        ("other.example", HOST),
        ("*.example", "films.tv.example"),
        ("*.films.example", HOST),
        ("192.0.2.7", "192.0.2.8"),
    ],
)
def test_one_for_another_name_is_refused(held: str, typed: str) -> None:
    error = refused(pair(MIDDLE, leaf=MIDDLE.issue(held)), typed)

    assert error.code == "tls.name"
    assert typed in error.message
    assert "portal.public_url" in error.message


def test_a_common_name_does_not_count() -> None:
    leaf = MIDDLE.issue("other.example", common=HOST)

    assert "common name" in refused(pair(MIDDLE, leaf=leaf)).message


@pytest.mark.parametrize(
    ("held", "typed"),
    [
        ("*.example", "films.example"),
        ("FILMS.example", "films.EXAMPLE"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "[2001:db8:0::1]"),
    ],
)
def test_names_count_as_browsers_count_them(held: str, typed: str) -> None:
    leaf = MIDDLE.issue(held)

    assert accepting.require(pair(MIDDLE, leaf=leaf), typed, NOW, TRUSTED)


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP224R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
)
def test_a_weak_key_is_refused(key: object) -> None:
    error = refused(pair(MIDDLE, leaf=MIDDLE.issue(HOST, key=key)))

    assert error.code == "tls.weak"
    assert "RSA 2048" in error.message


def test_a_signature_that_can_be_forged_is_refused() -> None:
    forged = MIDDLE.certificate
    found = list(
        keys.weaknesses(
            ec.generate_private_key(ec.SECP256R1()),
            (cast(x509.Certificate, _Signed(forged, hashes.SHA1())),),
        )
    )

    assert "SHA1" in found[0]


class _Signed:
    """A certificate as of a hash that no library signs with any more."""

    def __init__(self, real: x509.Certificate, digest: hashes.HashAlgorithm) -> None:
        self._real, self.signature_hash_algorithm = real, digest

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def test_a_key_behind_a_passphrase_is_refused_with_the_way_out() -> None:
    certificate, _ = MIDDLE.issue(HOST)
    locked = written(ec.generate_private_key(ec.SECP256R1()), b"secret words")

    error = refused(Pair(certificate, locked))

    assert error.code == "tls.key-encrypted"
    assert "openssl pkey" in error.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not in PEM"),
        (ROOT.certificate.public_bytes(serialization.Encoding.DER), "inform der"),
        (
            pkcs12.serialize_key_and_certificates(
                b"x", ROOT.key, ROOT.certificate, None, serialization.NoEncryption()
            ),
            "pkcs12",
        ),
        (written(ROOT.key), "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "holds no"),
        (b"x" * 300_000, "too large"),
    ],
)
def test_what_is_no_certificate_is_refused(content: bytes, said: str) -> None:
    error = refused(Pair(content, written(ROOT.key)))

    assert error.code == "tls.unreadable"
    assert said in error.message


def test_a_key_that_is_none_is_refused() -> None:
    certificate, _ = MIDDLE.issue(HOST)

    assert refused(Pair(certificate, certificate)).code == "tls.key-unreadable"


def test_a_key_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    certificate, key = (tmp_path / name for name in ("c.pem", "k.pem"))
    given = pair(MIDDLE)
    certificate.write_bytes(given.certificate)
    key.write_bytes(given.key)
    key.chmod(0o644)

    with pytest.raises(InvalidInput, match="chmod 600") as caught:
        accepting.read(certificate, key)
    key.chmod(0o640)

    assert caught.value.code == "tls.key-open"
    assert accepting.read(certificate, key) == given


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.pem"):
        accepting.read(tmp_path / "nowhere.pem", tmp_path / "key.pem")


def test_this_machine_signs_for_its_names_and_addresses() -> None:
    made = self_signed.make((HOST, "box", "192.0.2.7", "2001:db8::1"), NOW)
    found = made.described

    assert found.names == (HOST, "box", "192.0.2.7", "2001:db8::1")
    assert found.self_signed
    assert found.days_left(NOW) == 800
    assert accepting.require(made, HOST, NOW, ())
    assert len(found.fingerprint.split(":")) == 32


def test_it_goes_on_with_its_key_when_asked_to() -> None:
    first = self_signed.make((HOST,), NOW)
    key = keys.read(first.key)

    second = self_signed.make((HOST,), NOW, key=key)

    assert second.key == first.key
    assert second.described.fingerprint != first.described.fingerprint


@pytest.mark.parametrize("name", ["", "a b", "films.example;", "-", "https://x"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        self_signed.make((name,), NOW)

    assert caught.value.code == "tls.names"


def test_the_names_of_this_machine_hold_no_loopback() -> None:
    found = self_signed.names_here(HOST, "localhost")

    assert found[0] == HOST
    assert not {"127.0.0.1", "::1", "localhost"} & set(found)


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return Place(tmp_path / "tls" / "certificate.pem", tmp_path / "tls" / "key.pem")


def _put(here: Place, given: Pair, source: Source = Source.OWN) -> str:
    with place.alone(here):
        return place.put(here, given, source, NOW)


def test_both_files_change_together_and_come_back_together(here: Place) -> None:
    first, second = (self_signed.make((name,), NOW) for name in ("a.test", "b.test"))
    _put(here, first, Source.SELF_SIGNED)

    before = _put(here, second)

    assert place.pair(here) == second
    assert place.source(here) is Source.OWN
    assert here.certificate.readlink() == Path("current/certificate.pem")
    assert stat.S_IMODE(here.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(here.certificate.stat().st_mode) == 0o644
    place.put_back(here, before)
    assert place.pair(here) == first
    assert place.source(here) is Source.SELF_SIGNED


def test_files_that_an_operator_put_there_are_kept(here: Place) -> None:
    old, new = (self_signed.make((name,), NOW) for name in ("a.test", "b.test"))
    here.folder.mkdir()
    here.certificate.write_bytes(old.certificate)
    here.key.write_bytes(old.key)

    before = _put(here, new)

    assert place.pair(here) == new
    place.put_back(here, before)
    assert place.pair(here) == old


def test_without_one_before_nothing_stays_when_it_is_put_back(here: Place) -> None:
    before = _put(here, self_signed.make((HOST,), NOW))

    place.put_back(here, before)

    with pytest.raises(NotFound, match="matinee tls"):
        place.content(here)


def test_a_few_of_the_old_ones_stay(here: Place) -> None:
    for number in range(8):
        _put(here, self_signed.make((f"n{number}.test",), NOW))

    assert len(list((here.folder / "versions").iterdir())) == 5
    assert place.described(here).names == ("n7.test",)


def test_two_at_once_are_refused(here: Place) -> None:
    with place.alone(here), pytest.raises(Locked), place.alone(here):
        raise AssertionError


def test_where_nobody_may_write_it_says_so(here: Place) -> None:
    here.folder.write_text("a file in the way")

    with pytest.raises((PreconditionFailed, FileExistsError, NotADirectoryError)):
        _put(here, self_signed.make((HOST,), NOW))


def test_a_chain_is_described_with_who_is_above() -> None:
    found = reading.described(pair(MIDDLE, ROOT).chain)

    assert found.chain == ("Example Issuing", "Example Root")
