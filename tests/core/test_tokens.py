"""Media tokens: what opens an asset, and everything that does not."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.delivery import tokens
from appliance.delivery.tokens import SKEW_SECONDS, Algorithm, Keys, Scope
from appliance.errors import Forbidden, Gone

_ASSET, _SESSION = "00112233445566aa", "a1b2c3d4e5f60718"
_EXPIRES = 1_800_000_000
_KEYS = Keys("7", {"6": b"p" * 32, "7": b"k" * 32})


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(_EXPIRES + seconds, UTC)


def test_the_signature_is_what_the_contract_says() -> None:
    said = f"1\n7\n{_ASSET}\n1800000000\n{_SESSION}\nall".encode()
    expected = base64.urlsafe_b64encode(
        hmac.new(b"k" * 32, said, hashlib.sha256).digest()
    ).decode()

    text = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES)

    assert text == f"1.7.1800000000.{_SESSION}.all.{expected.rstrip('=')}"


def test_a_token_opens_its_asset_until_it_runs_out() -> None:
    text = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES)

    token = tokens.check(_KEYS, text, _ASSET, _at(-1))

    assert (token.asset, token.session) == (_ASSET, _SESSION)
    assert tokens.check(_KEYS, text, _ASSET, _at(SKEW_SECONDS)) == token
    with pytest.raises(Gone):
        tokens.check(_KEYS, text, _ASSET, _at(SKEW_SECONDS + 1))


def test_a_token_does_not_open_another_asset() -> None:
    text = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES)

    with pytest.raises(Forbidden):
        tokens.check(_KEYS, text, "ffffffffffffffff", _at(-1))


def test_no_change_of_a_single_character_is_taken() -> None:
    text = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES)

    for place in range(len(text)):
        for other in "0159afAZ-_.":
            changed = text[:place] + other + text[place + 1 :]
            if changed != text:
                with pytest.raises(Forbidden):
                    tokens.check(_KEYS, changed, _ASSET, _at(-1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.7.1800000000.x.all.y",
        "0" * 5000,
        "١.7.1800000000.a1b2c3d4e5f60718.all." + "A" * 43,
        "1.8.1800000000.a1b2c3d4e5f60718.all." + "A" * 43,
        "2.7.1800000000.a1b2c3d4e5f60718.all." + "A" * 43,
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(Forbidden):
        tokens.check(_KEYS, text, _ASSET, _at(-1))


def test_a_suffix_or_padding_is_refused() -> None:
    text = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES)

    for extra in ("=", "\n", " ", "/"):
        with pytest.raises(Forbidden):
            tokens.check(_KEYS, text + extra, _ASSET, _at(-1))


def test_an_altered_token_that_ran_out_is_refused_not_gone() -> None:
    late = _at(SKEW_SECONDS + 1000)
    text = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES)

    with pytest.raises(Forbidden):
        tokens.check(_KEYS, text[:-2] + "AA", _ASSET, late)


def test_a_token_for_licences_does_not_open_the_film_nor_the_reverse() -> None:
    licence = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES, Scope.LICENCE)
    film = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES)

    with pytest.raises(Forbidden):
        tokens.check(_KEYS, licence, _ASSET, _at(-1))
    with pytest.raises(Forbidden):
        tokens.check(_KEYS, film, _ASSET, _at(-1), Scope.LICENCE)
    assert tokens.check(_KEYS, licence, _ASSET, _at(-1), Scope.LICENCE)


@pytest.mark.parametrize(
    ("height", "said", "read"),
    [
        (None, "all", None),
        (720, "h720", 720),
        (99_999, "h99999", 99_999),
        (100_000, "all", None),
        (1, "h10", 10),
    ],
)
def test_a_token_says_how_high_its_pictures_may_be(
    height: int | None, said: str, read: int | None
) -> None:
    text = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES, Scope.up_to(height))

    token = tokens.check_media(_KEYS, text, _ASSET, _at(-1))

    assert text.split(".")[4] == said
    assert token.scope == Scope.up_to(height)
    assert token.scope.max_height == read


def test_a_limit_on_the_height_cannot_be_lifted_or_taken_for_another() -> None:
    text = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES, Scope.up_to(720))

    for other in ("all", "h1080", "h0720", "h72", "h720000", "licence", "H720", ""):
        with pytest.raises(Forbidden):
            changed = text.replace(".h720.", f".{other}.")
            tokens.check_media(_KEYS, changed, _ASSET, _at(-1))
    for wanted in (Scope.ALL, Scope.LICENCE, Scope.up_to(1080)):
        with pytest.raises(Forbidden):
            tokens.check(_KEYS, text, _ASSET, _at(-1), wanted)


def test_media_opens_with_any_height_until_it_runs_out_and_not_with_a_licence() -> None:
    licence = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES, Scope.LICENCE)
    text = tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES, Scope.up_to(720))

    with pytest.raises(Forbidden):
        tokens.check_media(_KEYS, licence, _ASSET, _at(-1))
    assert tokens.check_media(_KEYS, text, _ASSET, _at(SKEW_SECONDS))
    with pytest.raises(Gone):
        tokens.check_media(_KEYS, text, _ASSET, _at(SKEW_SECONDS + 1))


def test_rotation_keeps_what_was_handed_out_just_before(tmp_path: Path) -> None:
    first = tokens.load(tmp_path)
    handed_out = tokens.sign(first, _ASSET, _SESSION, _EXPIRES)

    second = tokens.rotate(tmp_path)

    assert second.current != first.current
    assert tokens.check(second, handed_out, _ASSET, _at(-1))
    third = tokens.rotate(tmp_path)
    with pytest.raises(Forbidden):
        tokens.check(third, handed_out, _ASSET, _at(-1))
    assert len(list(tmp_path.glob("media-*.key"))) == 2
    assert tokens.load(tmp_path) == third


def _md5(scope: Scope = Scope.ALL) -> str:
    return tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES, scope, Algorithm.MD5)


def test_the_signature_that_nginx_checks_itself_is_what_the_contract_says() -> None:
    secret = (b"k" * 32).hex()
    said = f"{secret} 2 7 {_ASSET} 1800000000 {_SESSION} h720 {secret}".encode()
    expected = base64.urlsafe_b64encode(hashlib.md5(said).digest()).decode()

    text = _md5(Scope.up_to(720))

    assert text == f"2.7.1800000000.{_SESSION}.h720.{expected.rstrip('=')}"
    assert len(text.rsplit(".", 1)[1]) == Algorithm.MD5.length
    assert tokens.check_media(_KEYS, text, _ASSET, _at(-1)).scope == Scope.up_to(720)


def test_either_way_of_signing_is_taken_and_neither_for_the_other() -> None:
    quick, slow = _md5(), tokens.sign(_KEYS, _ASSET, _SESSION, _EXPIRES)

    for text in (quick, slow):
        assert tokens.check(_KEYS, text, _ASSET, _at(-1)).session == _SESSION
        for other in ("1", "2", "3", ""):
            if other != text[0]:
                with pytest.raises(Forbidden):
                    tokens.check(_KEYS, other + text[1:], _ASSET, _at(-1))
    mixed = quick.rsplit(".", 1)[0] + "." + slow.rsplit(".", 1)[1]
    for wrong in (mixed, quick + "A", quick[:-1]):
        with pytest.raises(Forbidden):
            tokens.check(_KEYS, wrong, _ASSET, _at(-1))
    with pytest.raises(Gone):
        tokens.check(_KEYS, quick, _ASSET, _at(SKEW_SECONDS + 1))


def test_no_change_of_a_character_is_taken_of_md5_either() -> None:
    text = _md5()

    for place in range(len(text)):
        for other in "0159afAZ-_. ":
            changed = text[:place] + other + text[place + 1 :]
            if changed != text:
                with pytest.raises(Forbidden):
                    tokens.check(_KEYS, changed, _ASSET, _at(-1))


def test_licences_take_the_stronger_signature_only() -> None:
    text = _md5(Scope.LICENCE)
    secret = (b"k" * 32).hex()
    said = f"{secret} 2 7 {_ASSET} 1800000000 {_SESSION} licence {secret}".encode()
    mac = base64.urlsafe_b64encode(hashlib.md5(said).digest()).decode().rstrip("=")

    assert text.startswith("1.")
    with pytest.raises(Forbidden):
        tokens.check(
            _KEYS,
            f"2.7.1800000000.{_SESSION}.licence.{mac}",
            _ASSET,
            _at(-1),
            Scope.LICENCE,
        )


def test_a_key_is_known_before_it_signs(tmp_path: Path) -> None:
    first = tokens.load(tmp_path)

    announced = tokens.announce(tmp_path)
    again = tokens.announce(tmp_path)

    assert announced == again == tokens.to_check(tmp_path)
    assert announced.current == first.current
    assert sorted(announced.secrets) == ["1", "2"]
    assert tokens.load(tmp_path) == first
    rotated = tokens.rotate(tmp_path)
    assert rotated.current == "2"
    assert rotated.secrets["2"] == announced.secrets["2"]
    assert tokens.to_check(tmp_path) == rotated
    assert not list(tmp_path.glob("next-*"))
