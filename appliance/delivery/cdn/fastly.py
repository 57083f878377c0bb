"""Fastly: a token over the folder, in the query, which its VCL checks."""

import base64
import binascii
import hmac
from contextlib import suppress
from dataclasses import dataclass, field

from appliance.delivery.cdn.signed import Grant, Signed
from appliance.secret_file import Section

_LEAST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Fastly:
    """Signs with the key that stands in the VCL."""

    key: bytes = field(repr=False)

    def sign(self, grant: Grant) -> Signed:
        text = f"{grant.folder}{grant.expires}"
        mac = hmac.digest(self.key, text.encode(), "sha1").hex()
        return Signed(grant.folder, query=f"token={grant.expires}_{mac}")


def of_section(secrets: Section) -> Fastly:
    """Return the signer that the section ``[fastly]`` describes.

    Errors: ``ConfigError`` when the key is no base64, or too short.
    """
    key = b""
    with suppress(binascii.Error, ValueError):
        key = base64.b64decode(secrets["key"].strip(), validate=True)
    if len(key) < _LEAST_BYTES:
        raise secrets.wrong(
            "“key” of section [fastly] must be 16 bytes or more in base64, as of"
            " openssl rand -base64 32."
        )
    return Fastly(key)
