"""Akamai: an EdgeAuth 2.0 token for the folder, in the query."""

import hmac
from dataclasses import dataclass, field

from appliance.delivery.cdn.signed import Grant, Signed
from appliance.secret_file import Section

_USUAL_NAME = "hdnts"


@dataclass(frozen=True, slots=True)
class Akamai:
    """Signs with the encryption key of a property's Auth Token 2.0 behaviour."""

    key: bytes = field(repr=False)
    name: str = _USUAL_NAME

    def sign(self, grant: Grant) -> Signed:
        fields = f"exp={grant.expires}~acl={grant.folder}*"
        mac = hmac.digest(self.key, fields.encode(), "sha256").hex()
        return Signed(grant.folder, query=f"{self.name}={fields}~hmac={mac}")


def of_section(secrets: Section) -> Akamai:
    """Return the signer that the section ``[akamai]`` describes."""
    return Akamai(
        key=secrets.secret_bytes("key", 32),
        name=secrets.get("token_name") or _USUAL_NAME,
    )
