"""Our signature of AWS requests, compared with that of Amazon's own library."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from appliance.sigv4 import Signer, hash_of

NOW = datetime(2026, 11, 21, 10, 30, 5, tzinfo=UTC)
KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


def theirs(
    signer: Signer, method: str, url: str, body: bytes, headers: dict[str, str]
) -> str:
    credentials = Credentials(
        signer.access_key, signer.secret_key, signer.session_token or None
    )
    kind = S3SigV4Auth if signer.service == "s3" else SigV4Auth
    auth = kind(credentials, signer.service, signer.region)
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
    request.context["timestamp"] = NOW.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    request.headers["Host"] = urlsplit(url).netloc
    if signer.session_token:
        request.headers["X-Amz-Security-Token"] = signer.session_token
    if signer.service == "s3":
        request.headers["X-Amz-Content-SHA256"] = hash_of(body)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return str(auth.signature(text, request))


@pytest.mark.parametrize(
    ("service", "method", "url", "body", "headers"),
    [
        (
            "cloudfront",
            "POST",
            "https://cloudfront.amazonaws.com/2020-05-31/distribution/E1/invalidation",
            b"<InvalidationBatch/>",
            {"Content-Type": "text/xml"},
        ),
        ("cloudfront", "GET", "https://h.example/a%20b/c?b=2&a=1&a=0", b"", {}),
        ("cloudfront", "GET", "https://h.example", b"", {}),
        ("s3", "GET", "https://h.example/bucket/a%20b/%C3%BC.mp4", b"", {}),
        (
            "s3",
            "PUT",
            "http://127.0.0.1:9/b/k.m4s",
            b"x" * 99,
            {"X-Amz-Meta-A": "b"},
        ),
        (
            "s3",
            "GET",
            "https://h.example/b?list-type=2&prefix=a%2Fb&m=5",
            b"",
            {},
        ),
        ("s3", "POST", "https://h.example/b/k?uploads", b"", {"Range": "bytes=0-9"}),
    ],
)
@pytest.mark.parametrize("session", ["", "lent/for+a=while"])
def test_requests_are_signed_as_amazon_does(
    service: str,
    method: str,
    url: str,
    body: bytes,
    headers: dict[str, str],
    session: str,
) -> None:
    signer = Signer(*KEYS, "eu-central-1", service, session)

    signed = signer.headers(method, url, NOW, body_hash=hash_of(body), headers=headers)

    signature = theirs(signer, method, url, body, headers)
    assert signed["authorization"].endswith(f"Signature={signature}")
    assert signed["x-amz-date"] == "20261121T103005Z"


def test_a_signer_shows_no_secret() -> None:
    shown = repr(Signer(*KEYS, "eu-central-1", "s3", "session-secret"))

    assert KEYS[1] not in shown
    assert "session-secret" not in shown
