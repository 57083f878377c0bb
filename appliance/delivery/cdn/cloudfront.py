"""CloudFront: a policy with an RSA signature over it, in the query or in cookies.

The policy names a folder with ``*``, which only a custom policy may. CloudFront takes
SHA-1 with PKCS #1 v1.5; a forger would need a second preimage of a text of ours. Its
API forgets what “invalidations” name.
"""

import base64
import json
from dataclasses import dataclass, field
from functools import lru_cache

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appliance.delivery.cdn.purging import Ask, Target
from appliance.delivery.cdn.signed import Grant, Signed
from appliance.secret_file import Section

_API = "http://cloudfront.amazonaws.com/doc/2020-05-31/"


@dataclass(frozen=True, slots=True)
class CloudFront:
    """Signs with the private key of a key group; ``pem`` holds it."""

    key_id: str
    pem: bytes = field(repr=False)

    def sign(self, grant: Grant) -> Signed:
        policy = policy_of(grant)
        fields = {
            "Policy": _plain(policy.encode()),
            "Signature": _signature(self.pem, policy),
            "Key-Pair-Id": self.key_id,
        }
        return Signed(
            grant.folder,
            query="&".join(f"{name}={value}" for name, value in fields.items()),
            cookies={f"CloudFront-{name}": value for name, value in fields.items()},
        )


def of_section(secrets: Section) -> CloudFront:
    """Return the signer that the section ``[cloudfront]`` describes.

    Errors: ``ConfigError`` when its file holds no RSA key.
    """
    pem = secrets.private_file("private_key")
    if not _is_rsa(pem):
        raise secrets.wrong(
            "“private_key” of section [cloudfront] must name a file with an RSA key of"
            " 2048 bits in PEM, without a passphrase."
        )
    return CloudFront(secrets["key_pair_id"], pem)


def purge(ask: Ask, target: Target) -> None:
    """Forget folders, with an access key that may invalidate the ``distribution``."""
    api = ask.api("https://cloudfront.amazonaws.com")
    secrets, version = ask.secrets, _API.rsplit("/", 2)[1]
    url = f"{api}/{version}/distribution/{secrets['distribution']}/invalidation"
    body = _invalidation(target, ask.nonce)
    request = AWSRequest("POST", url, {"Content-Type": "application/xml"}, body)
    keys = Credentials(
        secrets["access_key"], secrets["secret_key"], secrets.get("session_token")
    )
    SigV4Auth(keys, "cloudfront", "us-east-1").add_auth(request)
    ask.post(url, dict(request.headers), body)


def policy_of(grant: Grant) -> str:
    """Return the policy, without a blank, as it is signed."""
    condition = {"DateLessThan": {"AWS:EpochTime": grant.expires}}
    resource = f"{grant.base}{grant.folder}*"
    statement = {"Resource": resource, "Condition": condition}
    return json.dumps({"Statement": [statement]}, separators=(",", ":"))


# Viewers of one film share policies: their times of expiry are whole minutes.
@lru_cache(maxsize=1024)
def _signature(pem: bytes, policy: str) -> str:
    signed = _key(pem).sign(
        policy.encode(),
        padding.PKCS1v15(),
        hashes.SHA1(),  # noqa: S303 the one that CloudFront checks
    )
    return _plain(signed)


@lru_cache(maxsize=4)
def _key(pem: bytes) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("no RSA key")
    return key


def _is_rsa(pem: bytes) -> bool:
    try:
        return _key(pem) is not None
    except (ValueError, TypeError):
        return False


def _plain(data: bytes) -> str:
    """Write base64 in the letters that CloudFront takes in addresses."""
    text = base64.b64encode(data).decode()
    return text.replace("+", "-").replace("=", "_").replace("/", "~")


def _invalidation(target: Target, reference: str) -> bytes:
    """Return the order; paths and reference are hexadecimal and need no escaping."""
    paths = "".join(f"<Path>{folder}*</Path>" for folder in target.folders)
    return (
        f'<InvalidationBatch xmlns="{_API}">'
        f"<Paths><Quantity>{len(target.folders)}</Quantity><Items>{paths}</Items></Paths>"
        f"<CallerReference>{reference}</CallerReference>"
        "</InvalidationBatch>"
    ).encode()
