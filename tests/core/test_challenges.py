"""What can be read of a challenge, and what is refused for being read in two ways."""

import pytest

from appliance.cenc import KeySystem, Scheme
from appliance.errors import InvalidInput
from appliance.protection import challenges, playready, pssh
from tests.doubles.challenge import message, widevine

_KIDS = ("01" * 16, "02" * 16)


def test_a_widevine_challenge_names_its_keys() -> None:
    kids = set(_KIDS)

    assert challenges.read(KeySystem.WIDEVINE, widevine(*kids)).kids == kids


@pytest.mark.parametrize(
    "content",
    [
        message((1, b""), (1, b"")),
        message((1, message((1, b"x" * 3))), (4, b"init data of another film")),
        message((2, b"a WebM key id")),
        message((4, b"init data")),
        b"",
    ],
)
def test_a_challenge_that_can_be_read_in_two_ways_is_refused(content: bytes) -> None:
    challenge = message((1, 1), (2, message((2, content))))

    with pytest.raises(InvalidInput):
        challenges.read(KeySystem.WIDEVINE, challenge)


def test_a_challenge_with_two_contents_is_refused() -> None:
    """Protocol buffers would merge them, and so let a second film in."""
    one = message((1, message((1, message((2, bytes(16)))))))
    challenge = message((1, 1), (2, message((2, one), (2, one))))

    with pytest.raises(InvalidInput):
        challenges.read(KeySystem.WIDEVINE, challenge)


def test_the_renewal_of_a_licence_names_no_keys() -> None:
    content = message((3, b"the id of a licence"))
    challenge = message((1, 1), (2, message((2, content), (3, 2))))

    asked = challenges.read(KeySystem.WIDEVINE, challenge)

    assert asked.existing
    assert asked.kids == frozenset()


@pytest.mark.parametrize("scheme", Scheme)
def test_a_playready_challenge_names_its_keys(scheme: Scheme) -> None:
    kid = "0123456789abcdef0123456789abcdef"
    (box,) = pssh.read(playready.box(kid, bytes(16), scheme))
    header = box.data[10:].decode("utf-16-le")
    challenge = f"<AcquireLicense>{header}</AcquireLicense>".encode()

    assert challenges.read(KeySystem.PLAYREADY, challenge).kids == {kid}


@pytest.mark.parametrize("text", [b"", b"<html>", b"\xff\xfe"])
def test_what_is_no_playready_challenge_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        challenges.read(KeySystem.PLAYREADY, text)


def test_only_the_usual_request_is_one_for_a_certificate() -> None:
    def is_one(challenge: bytes, system: KeySystem = KeySystem.WIDEVINE) -> bool:
        return challenges.is_certificate_request(system, challenge)

    assert is_one(b"\x08\x04")
    assert not is_one(b"\x08\x01")
    assert not is_one(b"")
    assert not is_one(widevine(_KIDS[0]))
    assert not is_one(b"\x08\x04", KeySystem.FAIRPLAY)
