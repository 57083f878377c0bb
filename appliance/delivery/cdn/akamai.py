"""Akamai: an EdgeAuth 2.0 token for the folder, in the query.

Its API forgets cache tags, of which the property gives every file that of its asset.
"""

import hmac
from dataclasses import dataclass, field

from appliance.delivery.cdn import edgegrid
from appliance.delivery.cdn.purging import Ask, Target, as_json
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


def purge(ask: Ask, target: Target) -> None:
    """Forget assets by their tags, or the whole CP code, at the ``api`` host."""
    api = str(ask.secrets["api"]).rstrip("/")
    if target.assets:
        kind, objects = "tag", list[str | int](target.assets)
    else:
        kind, objects = "cpcode", [_cp_code(ask.secrets)]
    url = f"{api}/ccu/v3/invalidate/{kind}/production"
    body = as_json({"objects": objects})
    client = edgegrid.of_section(ask.secrets)
    signed = client.authorization("POST", url, body, ask.now, ask.nonce)
    ask.post(url, {"Authorization": signed, "Content-Type": "application/json"}, body)


def _cp_code(secrets: Section) -> int:
    text = secrets["cp_code"]
    if not (text.isascii() and text.isdigit()):
        raise secrets.wrong("“cp_code” of section [akamai] must be a number in quotes.")
    return int(text)
