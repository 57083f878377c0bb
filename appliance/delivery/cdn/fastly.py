"""Fastly: a token over the folder, in the query, which its VCL checks.

Its API forgets surrogate keys, of which the VCL gives every file that of its asset.
"""

import base64
import binascii
import hmac
from contextlib import suppress
from dataclasses import dataclass, field

from appliance.delivery.cdn.purging import Ask, Target
from appliance.delivery.cdn.signed import Grant, Signed
from appliance.secret_file import Section

_LEAST_BYTES = 16
_AT_ONCE = 256


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


def purge(ask: Ask, target: Target) -> None:
    """Forget assets, with an ``api_token`` that may purge the ``service``."""
    api = ask.api("https://api.fastly.com")
    url = f"{api}/service/{ask.secrets['service']}"
    head = {"Fastly-Key": ask.secrets["api_token"], "Accept": "application/json"}
    if not target.assets:
        ask.post(f"{url}/purge_all", head)
    for at in range(0, len(target.assets), _AT_ONCE):
        keys = list(target.assets[at : at + _AT_ONCE])
        ask.post_json(f"{url}/purge", head, {"surrogate_keys": keys})
