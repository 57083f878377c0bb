"""ClearKey's JSON: read strictly, written as W3C EME says."""

import base64
import json

import pytest

from appliance.cenc import Label, Scheme
from appliance.errors import InvalidInput
from appliance.protection import clearkey
from appliance.protection.keys import ContentKey


def _key(number: int) -> ContentKey:
    kid = f"{number:032x}"
    return ContentKey(
        kid, bytes([number] * 16), Label.SD, Scheme.CBCS, 1, None, "t", {}
    )


def _named(*kids: str) -> bytes:
    return json.dumps({"kids": list(kids), "type": "temporary"}).encode()


def test_a_request_names_keys_and_how_long_they_are_wanted() -> None:
    body = b'{"kids":["oAAAAAAAAAAAAAAAAAAAAQ","_____________________w"],"type":"%s"}'

    asked = clearkey.parse(body % b"temporary")

    assert asked.kids == ("a0" + "00" * 14 + "01", "ff" * 16)
    assert not asked.persistent
    assert clearkey.parse(body % b"persistent-license").persistent


def test_sixteen_kids_are_taken_and_seventeen_are_not() -> None:
    kids = [base64.urlsafe_b64encode(bytes([n] * 16))[:22].decode() for n in range(17)]

    assert len(clearkey.parse(_named(*kids[:16])).kids) == 16
    with pytest.raises(InvalidInput, match="17"):
        clearkey.parse(_named(*kids))


@pytest.mark.parametrize(
    "last", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
)
def test_no_kid_can_be_written_in_two_ways(last: str) -> None:
    text = "oAAAAAAAAAAAAAAAAAAAA" + last
    value = base64.urlsafe_b64decode(text + "==")
    one_way = base64.urlsafe_b64encode(value).decode().rstrip("=") == text

    if one_way:
        assert clearkey.parse(_named(text)).kids == (value.hex(),)
    else:
        with pytest.raises(InvalidInput):
            clearkey.parse(_named(text))


def test_an_answer_carries_keys_without_padding() -> None:
    document = json.loads(clearkey.answer([_key(1), _key(255)], persistent=False))

    assert document == {
        "keys": [
            {
                "kty": "oct",
                "kid": "AAAAAAAAAAAAAAAAAAAAAQ",
                "k": "AQEBAQEBAQEBAQEBAQEBAQ",
            },
            {
                "kty": "oct",
                "kid": "AAAAAAAAAAAAAAAAAAAA_w",
                "k": "_____________________w",
            },
        ],
        "type": "temporary",
    }


def test_a_key_does_not_show_itself() -> None:
    assert "01010101" not in repr(_key(1))
    assert "\\x01" not in repr(_key(1))
