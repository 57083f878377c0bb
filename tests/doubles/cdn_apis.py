"""The APIs of CDNs that forget what they are told to, if they are asked rightly.

Each checks who asks with the vendor's own library, where there is one, and keeps what
was to be forgotten.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from akamai.edgegrid.edgegrid import EdgeGridAuthHeaders
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from requests import Request as Sent
from werkzeug.wrappers import Request, Response

_CLOUDFRONT = "{http://cloudfront.amazonaws.com/doc/2020-05-31/}"


def answer(code: int, /, **document: Any) -> Response:
    return Response(json.dumps(document), code, mimetype="application/json")


@dataclass
class Api:
    """What an API was told to forget."""

    forgotten: list[str] = field(default_factory=list)


@dataclass
class BunnyApi(Api):
    """``POST /purge?url=``; an asterisk at the end stands for whatever follows."""

    key: str = "account-key"

    def __call__(self, request: Request) -> Response:
        if request.headers.get("AccessKey") != self.key:
            return answer(401, Message="Authorization has been denied.")
        if (request.method, request.path) != ("POST", "/purge"):
            return answer(404)
        self.forgotten.append(request.args["url"])
        return answer(200)


@dataclass
class CloudflareApi(Api):
    """``POST /zones/<zone>/purge_cache`` with one kind of thing to forget."""

    token: str = "api-token"
    zone: str = "zone1"

    def __call__(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return answer(403, success=False, errors=[{"code": 10000}])
        if request.path != f"/zones/{self.zone}/purge_cache":
            return answer(200, success=False, errors=[{"code": 7003}])
        ((kind, things),) = request.get_json().items()
        if kind not in ("prefixes", "hosts") or not 0 < len(things) <= 30:
            return answer(400, success=False)
        if any("://" in each for each in things):
            return answer(400, success=False)
        self.forgotten += things
        return answer(200, success=True, errors=[], result={"id": self.zone})


@dataclass
class FastlyApi(Api):
    """``POST /service/<id>/purge`` with surrogate keys, or ``purge_all``."""

    token: str = "api-token"
    service: str = "service1"

    def __call__(self, request: Request) -> Response:
        if request.headers.get("Fastly-Key") != self.token:
            return answer(401, msg="Provided credentials are missing or invalid")
        if request.path == f"/service/{self.service}/purge_all":
            self.forgotten.append("everything")
            return answer(200, status="ok")
        keys = request.get_json()["surrogate_keys"]
        if request.path != f"/service/{self.service}/purge" or len(keys) > 256:
            return answer(400)
        self.forgotten += keys
        return answer(200, **dict.fromkeys(keys, "1-1"))


@dataclass
class CloudFrontApi(Api):
    """``CreateInvalidation``, with the signature that botocore makes."""

    access_key: str = "AKIDEXAMPLE"
    secret_key: str = "wJalrXUtnFEMI/K7MDENG"
    distribution: str = "E1"
    references: set[str] = field(default_factory=set)

    def __call__(self, request: Request) -> Response:
        path = f"/2020-05-31/distribution/{self.distribution}/invalidation"
        if (request.method, request.path) != ("POST", path):
            return Response("<ErrorResponse/>", 404)
        if request.headers.get("Authorization", "") != self._expected(request):
            return Response("<ErrorResponse/>", 403)
        batch = etree.fromstring(request.get_data())
        paths = [each.text for each in batch.iter(f"{_CLOUDFRONT}Path")]
        reference = batch.findtext(f"{_CLOUDFRONT}CallerReference")
        count = batch.findtext(f"{_CLOUDFRONT}Paths/{_CLOUDFRONT}Quantity")
        if count != str(len(paths)) or reference in self.references:
            return Response("<ErrorResponse/>", 400)
        self.references.add(reference)
        self.forgotten += paths
        return Response("<Invalidation/>", 201)

    def _expected(self, request: Request) -> str:
        signer = SigV4Auth(
            Credentials(self.access_key, self.secret_key), "cloudfront", "us-east-1"
        )
        copy = AWSRequest(request.method, request.url, data=request.get_data())
        for name in ("Host", "X-Amz-Date", "Content-Type"):
            copy.headers[name] = request.headers[name]
        copy.context["timestamp"] = request.headers["X-Amz-Date"]
        text = signer.string_to_sign(copy, signer.canonical_request(copy))
        signature = signer.signature(text, copy)
        scope = f"{request.headers['X-Amz-Date'][:8]}/us-east-1/cloudfront/aws4_request"
        return (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope},"
            f" SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
        )


@dataclass
class AkamaiApi(Api):
    """Fast Purge v3, with the signature that edgegrid-python makes."""

    words: tuple[str, str, str] = ("akab-client", "client-secret", "akab-access")
    nonces: set[str] = field(default_factory=set)

    def __call__(self, request: Request) -> Response:
        given = request.headers.get("Authorization", "")
        if given != self._expected(request, given):
            return answer(401, title="Unauthorized")
        kind = urlsplit(request.url).path.removeprefix("/ccu/v3/invalidate/")
        if kind not in ("tag/production", "cpcode/production"):
            return answer(404)
        objects = request.get_json()["objects"]
        if kind.startswith("cpcode") and not all(type(each) is int for each in objects):
            return answer(400)
        self.forgotten += [f"{kind.partition('/')[0]} {each}" for each in objects]
        return answer(201, httpStatus=201, estimatedSeconds=5)

    def _expected(self, request: Request, given: str) -> str:
        fields = dict(
            each.split("=", 1) for each in given.partition(" ")[2].split(";") if each
        )
        nonce = fields.get("nonce", "")
        if not nonce or nonce in self.nonces:
            return "a nonce that was not used"
        self.nonces.add(nonce)
        library = EdgeGridAuthHeaders(*self.words)
        copy = Sent("POST", request.url, data=request.get_data()).prepare()
        return str(library.make_auth_header(copy, fields["timestamp"], nonce))


@dataclass
class GoogleApi(Api):
    """OAuth for service accounts, and ``urlMaps.invalidateCache``."""

    public: rsa.RSAPublicKey | None = None
    email: str = "purge@films.iam.example"
    now: datetime = datetime(2026, 11, 21, tzinfo=UTC)

    def __call__(self, request: Request) -> Response:
        if request.path == "/token":
            return self._token(request)
        if request.headers.get("Authorization") != "Bearer ya29.token":
            return answer(401, error={"code": 401})
        if request.path != "/projects/films/global/urlMaps/map1/invalidateCache":
            return answer(404, error={"code": 404})
        rule = request.get_json()
        if not rule["path"].startswith("/") or rule["path"].count("*") > 1:
            return answer(400, error={"code": 400})
        self.forgotten.append(f"{rule['host']}{rule['path']}")
        return answer(200, kind="compute#operation")

    def _token(self, request: Request) -> Response:
        form = parse_qs(request.get_data(as_text=True))
        head, claims, signature = form["assertion"][0].split(".")
        try:
            assert self.public is not None
            self.public.verify(
                _bytes(signature),
                f"{head}.{claims}".encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except InvalidSignature:
            return answer(400, error="invalid_grant")
        said: Mapping[str, Any] = json.loads(_bytes(claims))
        now = self.now.timestamp()
        right = (
            form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
            and json.loads(_bytes(head)) == {"alg": "RS256", "typ": "JWT"}
            and said["iss"] == self.email
            and said["aud"] == request.url
            and said["scope"].startswith("https://www.googleapis.com/auth/")
            and said["iat"] <= now < said["exp"] <= said["iat"] + 3600
        )
        if not right:
            return answer(400, error="invalid_grant")
        return answer(200, access_token="ya29.token", expires_in=3599)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
