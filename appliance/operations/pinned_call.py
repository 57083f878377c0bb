"""A call to another Matinee whose certificate is known by its fingerprint.

A control node often has a certificate of its own making. Nothing is sent before the
other side has shown that it is the one meant.
"""

import hashlib
import hmac
import http.client
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from appliance.errors import (
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    MatineeError,
    PreconditionFailed,
    TooManyRequests,
    TryAgain,
)

_SECONDS = 30.0
_LARGEST = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_REFUSALS: Mapping[int, type[MatineeError]] = {
    400: InvalidInput,
    403: Forbidden,
    409: Conflict,
    410: Gone,
    429: TooManyRequests,
}


@dataclass(frozen=True, slots=True)
class ControlNode:
    """Where the control node is; ``fingerprint`` is the SHA-256 of its certificate.

    Without one, an authority must vouch for it that this machine trusts.
    """

    url: str
    fingerprint: str = ""
    _parts: SplitResult = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_parts", _address(self.url))
        object.__setattr__(self, "fingerprint", _digits(self.fingerprint))

    def post(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Send a JSON document, and return the one that is answered.

        Errors: the one that the control node answers with, in its words; else
        ``TryAgain`` node.unreachable, ``PreconditionFailed`` node.untrusted.
        """
        connection = self._connection()
        try:
            _connect(connection, self._parts.netloc)
            self._require_known(connection)
            return _answer(connection, path, document, self._parts.netloc)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=_SECONDS)
        context = ssl.create_default_context()
        if self.fingerprint:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(
            host, port, timeout=_SECONDS, context=context
        )

    def _require_known(self, connection: http.client.HTTPConnection) -> None:
        if not self.fingerprint or not isinstance(connection.sock, ssl.SSLSocket):
            return
        shown = connection.sock.getpeercert(binary_form=True) or b""
        found = hashlib.sha256(shown).hexdigest()
        if not hmac.compare_digest(found, self.fingerprint):
            raise PreconditionFailed(
                "node.untrusted",
                f"{self._parts.netloc} has a certificate with the fingerprint {found},"
                f" and not {self.fingerprint}: nothing was sent. Compare with what"
                " `matinee tls show` says on the control node.",
            )


def _address(url: str) -> SplitResult:
    """Return the parts of an address; plain http is for this machine only."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    here = host in ("127.0.0.1", "::1", "localhost")
    if not host or parts.username is not None:
        raise InvalidInput(
            "node.address",
            "Give the address of the control node, as https://portal.example.",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise InvalidInput(
            "node.address",
            "Machines join over TLS only: give an address that begins with https://.",
        )
    return parts


def _digits(fingerprint: str) -> str:
    """Return a fingerprint as bare digits, however it was written."""
    text = fingerprint.strip().lower().removeprefix("sha256:").removeprefix("sha256=")
    found = text.replace(":", "").replace(" ", "")
    if found and not _SHA256.fullmatch(found):
        raise InvalidInput(
            "node.fingerprint",
            "A fingerprint is the SHA-256 of a certificate: 64 hexadecimal digits.",
        )
    return found


def _connect(connection: http.client.HTTPConnection, where: str) -> None:
    trouble = ""
    try:
        connection.connect()
    except ssl.SSLCertVerificationError as error:
        trouble = error.verify_message
    except ssl.SSLError:
        trouble = "it speaks no TLS that this machine knows"
    except OSError as error:
        raise _unreachable(where, error.strerror or type(error).__name__) from None
    if trouble:
        raise PreconditionFailed(
            "node.untrusted",
            f"{where} cannot be trusted: {trouble}. Give --fingerprint, as the control"
            " node printed it with the token, or have this machine trust its authority"
            " (matinee trust add); and see to this machine’s clock.",
        )


def _answer(
    connection: http.client.HTTPConnection,
    path: str,
    document: Mapping[str, Any],
    where: str,
) -> dict[str, Any]:
    body = json.dumps(dict(document)).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        status, text = response.status, response.read(_LARGEST + 1)
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(where, type(error).__name__) from None
    try:
        found = json.loads(text) if len(text) <= _LARGEST else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise PreconditionFailed(
            "node.stranger",
            f"What answers at {where} ({status}) is no Matinee, or an older one: give"
            " the address of the control node.",
        )
    if status // 100 != 2:
        raise _refusal(status, found, where)
    return found


def _refusal(status: int, found: Mapping[str, Any], where: str) -> MatineeError:
    """Return the error that the control node told, as one of ours."""
    said = str(found.get("detail") or f"{where} refused with {status}.")[:1000]
    kind = _REFUSALS.get(status, TryAgain if status >= 500 else PreconditionFailed)
    return kind(str(found.get("code") or "node.refused")[:60], said)


def _unreachable(where: str, reason: str) -> TryAgain:
    return TryAgain(
        "node.unreachable",
        f"{where} cannot be reached ({reason}): check the address, the network and the"
        " firewall, then try again with the same token.",
    )
