"""Challenges as players send them, as far as anybody but a service can read them."""

from appliance.cenc import Scheme
from appliance.protection.keys import ContentKey
from appliance.protection.playready import header


def message(*fields: tuple[int, int | bytes]) -> bytes:
    """Write a message of protocol buffers; short ones only."""
    found = b""
    for number, value in fields:
        if isinstance(value, int):
            found += bytes([number << 3, value])
        else:
            assert len(value) < 128
            found += bytes([number << 3 | 2, len(value)]) + value
    return found


def widevine(*kids: str) -> bytes:
    data = message(*((2, bytes.fromhex(each)) for each in kids))
    content = message((1, message((1, data))))
    return message((1, 1), (2, message((2, content), (3, 1))), (3, b"signature"))


def playready(key: ContentKey) -> bytes:
    text = header(key.kid, key.key, Scheme.CBCS)
    return (
        b"<soap:Envelope><AcquireLicense><ContentHeader>"
        + text.encode()
        + b"</ContentHeader></AcquireLicense></soap:Envelope>"
    )
