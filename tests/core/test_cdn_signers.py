"""Signatures for CDNs: against the vendors' libraries, their vectors, and edges."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from akamai.edgeauth import EdgeAuth
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from appliance.delivery import shield
from appliance.delivery.cdn import bunny, cloudflare, cloudfront
from appliance.delivery.cdn.akamai import Akamai
from appliance.delivery.cdn.bunny import Bunny
from appliance.delivery.cdn.cloudflare import LIFETIME_SECONDS, Cloudflare
from appliance.delivery.cdn.cloudfront import CloudFront
from appliance.delivery.cdn.fastly import Fastly
from appliance.delivery.cdn.google import Google
from appliance.delivery.cdn.signed import Grant, Signed, Signer
from appliance.delivery.cdn.vendors import SIGNERS
from appliance.delivery.tokens import Scope
from tests.doubles.cdn_edges import (
    AkamaiEdge,
    BunnyEdge,
    CloudflareEdge,
    CloudFrontEdge,
    Edge,
    FastlyEdge,
    GoogleEdge,
)

NOW = 1_795_000_000
ENDS = NOW + 240
ASSET, OTHER = "ab" * 8, "cd" * 8
SCOPE = Scope.up_to(1080)
GRANT = Grant("https://films.example", shield.folder(ASSET, SCOPE), ENDS)
SEGMENT = f"tracks/{'12' * 8}/00001.m4s"
RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True)
class Pair:
    """A signer, one with another key, and the edge that trusts the first."""

    right: Signer
    wrong: Signer
    edge: Edge


PAIRS: Mapping[str, Pair] = {
    "cloudfront": Pair(
        CloudFront("K1", pem(RSA)),
        CloudFront("K1", pem(OTHER_RSA)),
        CloudFrontEdge("K1", RSA.public_key()),
    ),
    "akamai": Pair(
        Akamai(bytes(range(32))), Akamai(bytes(32)), AkamaiEdge(bytes(range(32)).hex())
    ),
    "google": Pair(
        Google("my-key", b"k" * 16),
        Google("my-key", b"x" * 16),
        GoogleEdge("my-key", b"k" * 16),
    ),
    "bunny": Pair(Bunny("security"), Bunny("Security"), BunnyEdge("security")),
    "cloudflare": Pair(
        Cloudflare("secret"),
        Cloudflare("Secret"),
        CloudflareEdge("secret", LIFETIME_SECONDS, (28, 29, 30, 31)),
    ),
    "fastly": Pair(Fastly(b"k" * 32), Fastly(b"x" * 32), FastlyEdge(b"k" * 32)),
}


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest) -> Pair:
    return PAIRS[request.param]


def url(signed: Signed, name: str = SEGMENT) -> str:
    query = f"?{signed.query}" if signed.query else ""
    return f"{GRANT.base}{signed.path}{name}{query}"


def test_there_is_a_pair_for_every_signer() -> None:
    assert set(PAIRS) == set(SIGNERS)


@pytest.mark.parametrize("scope", ["all", "h90", "h720", "h1080", "h10080"])
def test_one_signature_opens_every_file_of_the_folder(pair: Pair, scope: str) -> None:
    grant = replace(GRANT, folder=shield.folder(ASSET, Scope(scope)))
    signed = pair.right.sign(grant)

    for name in (SEGMENT, "master.m3u8", f"hls/{'12' * 8}.m3u8", "thumbnails.vtt"):
        assert pair.edge.status(url(signed, name), NOW) == 200


def test_a_signature_ends_when_it_says(pair: Pair) -> None:
    address = url(pair.right.sign(GRANT))

    assert pair.edge.status(address, ENDS - 1) == 200
    assert pair.edge.status(address, ENDS + 1) in (403, 410)
    assert pair.edge.status(address, ENDS + 30 * 86_400) in (403, 410)


@pytest.mark.parametrize("skew", [-3600, -60, 60, 180])
def test_clocks_that_disagree_by_minutes_close_nothing(pair: Pair, skew: int) -> None:
    """A signature has no beginning: an edge that is late takes it; our margin is
    what it may be ahead."""
    assert pair.edge.status(url(pair.right.sign(GRANT)), NOW + skew) == 200


def test_a_signature_of_another_key_opens_nothing(pair: Pair) -> None:
    assert pair.edge.status(url(pair.wrong.sign(GRANT)), NOW) == 403


@pytest.mark.parametrize(
    "folder",
    [
        shield.folder(OTHER, SCOPE),
        shield.folder(ASSET, Scope.ALL),
        shield.folder(ASSET, Scope.up_to(720)),
        shield.folder(ASSET, Scope.up_to(10_801)),
        "/media/",
        "/",
    ],
)
def test_a_signature_opens_no_other_folder(pair: Pair, folder: str) -> None:
    signed = pair.right.sign(GRANT)
    path = signed.path.replace(GRANT.folder, folder)

    assert pair.edge.status(url(replace(signed, path=path)), NOW) == 403


def test_a_signature_that_was_changed_opens_nothing(pair: Pair) -> None:
    address = url(pair.right.sign(GRANT))

    longer = address.replace(str(ENDS), str(ENDS + 9999)).replace(
        str(ENDS - LIFETIME_SECONDS), str(ENDS)
    )
    if longer != address:
        assert pair.edge.status(longer, NOW) == 403
    assert pair.edge.status(address.partition("?")[0].replace("_", "-"), NOW) == 403
    assert pair.edge.status(f"{GRANT.base}{GRANT.folder}{SEGMENT}", NOW) == 403


@pytest.mark.parametrize("name", ["cloudfront", "google"])
def test_cookies_open_what_the_query_opens(name: str) -> None:
    pair = PAIRS[name]
    address = f"{GRANT.base}{GRANT.folder}{SEGMENT}"
    cookies = pair.right.sign(GRANT).cookies

    assert pair.edge.status(address, NOW, cookies) == 200
    assert pair.edge.status(address, ENDS + 1, cookies) == 403
    assert pair.edge.status(address, NOW, pair.wrong.sign(GRANT).cookies) == 403


def test_only_bunny_writes_into_the_path_and_the_others_into_the_query() -> None:
    for name, pair in PAIRS.items():
        signed = pair.right.sign(GRANT)
        assert (signed.path == GRANT.folder) == (name != "bunny")
        assert bool(signed.query) == (name != "bunny")


def test_nothing_shows_a_key_or_a_signature(pair: Pair) -> None:
    signed = pair.right.sign(GRANT)
    shown = f"{pair.right!r} {signed!r}"

    for secret in ("security", "secret", "kkkk", "PRIVATE", signed.query or "HS256"):
        assert secret not in shown


def test_cloudfront_gets_what_amazons_library_makes() -> None:
    def sign(message: bytes) -> bytes:
        return RSA.sign(message, padding.PKCS1v15(), hashes.SHA1())

    library = CloudFrontSigner("K1", sign)
    resource = f"{GRANT.base}{GRANT.folder}*"
    policy = library.build_policy(resource, datetime.fromtimestamp(ENDS, UTC))
    signed = CloudFront("K1", pem(RSA)).sign(GRANT)

    assert cloudfront.policy_of(GRANT) == policy
    theirs = library.generate_presigned_url(
        url(signed).partition("?")[0], policy=policy
    )
    assert url(signed) == theirs
    assert set(signed.cookies) == {
        "CloudFront-Policy",
        "CloudFront-Signature",
        "CloudFront-Key-Pair-Id",
    }


def test_akamai_gets_what_its_own_library_makes() -> None:
    key = os.urandom(32)
    library = EdgeAuth(token_name="hdnts", key=key.hex(), end_time=ENDS)

    signed = Akamai(key).sign(GRANT)

    assert signed.query == f"hdnts={library.generate_acl_token(GRANT.folder + '*')}"


@pytest.mark.parametrize(
    ("base", "folder", "signature"),
    [
        ("http://35.186.234.33", "/", "j7HYgoQ8dIOVsW3Rw4cpkjWfRMA="),
        ("http://www.example.com", "/", "UdT5nVks6Hh8QFMJI9kmXuXYBk0="),
        ("http://www.example.com", "/some/", "3th4ThmpS95I1TAKYyYSCSq3dnQ="),
    ],
)
def test_google_gets_what_its_samples_expect(
    base: str, folder: str, signature: str
) -> None:
    """The vectors of GoogleCloudPlatform/python-docs-samples, cdn/snippets_test.py."""
    key = base64.urlsafe_b64decode("nZtRohdNF9m3cKM24IcK4w==")
    prefix = base64.urlsafe_b64encode(f"{base}{folder}".encode()).decode()

    signed = Google("my-key", key).sign(Grant(base, folder, 1549751401))

    assert signed.query == (
        f"URLPrefix={prefix}&Expires=1549751401&KeyName=my-key&Signature={signature}"
    )


def test_googles_cookie_is_what_its_samples_expect() -> None:
    key = base64.urlsafe_b64decode("nZtRohdNF9m3cKM24IcK4w==")

    signed = Google("my-key", key).sign(
        Grant("http://www.example.com", "/foo/", 1549751401)
    )

    assert signed.cookies == {
        "Cloud-CDN-Cookie": "URLPrefix=aHR0cDovL3d3dy5leGFtcGxlLmNvbS9mb28v"
        ":Expires=1549751401:KeyName=my-key:Signature=Z9uYAu73YHioRScZDxnP-TnS274="
    }


def test_bunny_gets_what_its_own_tests_expect() -> None:
    """The vectors with a path of BunnyWay/BunnyCDN.TokenAuthentication."""
    token = bunny.signature("SecurityKey", "/abc", 1598024587)

    assert token == "HS256-uVZvT3SbEoVKYJyDJgbcsDmSFf73cv-uNUVaJiKWpbQ"
    signed = Bunny("SecurityKey").sign(Grant("https://h.example", "/abc/", 1598024587))
    assert signed.path.startswith("/bcdn_token=HS256-")
    assert signed.path.endswith("&token_path=%2Fabc%2F&expires=1598024587/abc/")


@pytest.mark.parametrize(
    ("folder", "issued", "mac"),
    [
        (
            "/case-studies/12345678-90ab-4cde-f012-3456789abcde/",
            1755877101,
            "5WOroVcDINdl2+QZxZFHJcJ6l/ep4HGIrX3DtSXzWO0=",
        ),
        (
            "/case-studies/768bf477-22d5-4545-857d-b155510119ff/",
            1755878057,
            "jeMS5S1F3MIgxvL61UmiX4vODiWtuLfcPV6q+0Y3Rig=",
        ),
    ],
)
def test_cloudflare_gets_what_its_documentation_shows(
    folder: str, issued: int, mac: str
) -> None:
    """“Protect an entire URI path prefix with a single signature”."""
    made = cloudflare.timed_mac("mysecrettoken", folder, issued)

    assert base64.b64encode(made).decode() == mac


def test_fastly_gets_what_its_sample_makes() -> None:
    """The key, and the sum that fastly/token-functions does, for a path and a time."""
    key = base64.b64decode("iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=")

    signed = Fastly(key).sign(
        Grant("http://www.example.com", "/foo/bar.html", 1441307151)
    )

    assert signed.query == "token=1441307151_2bfc5de65ab7c7faffde2b29ac82d4f5177f16d7"
