"""``GET /licence/widevine|fairplay/certificate``: what players need before a licence.

Certificates are public and the same for everybody, so they are kept: neither a player
nor anybody else makes us ask the provider more than now and then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from flask import Response, current_app

from appliance.cenc import KeySystem
from appliance.errors import MatineeError, NotFound, PreconditionFailed, TryAgain
from appliance.protection import licence_services
from web import context, guard
from web.licence.proxies import in_turn

_DAY = timedelta(days=1)
_AFTER_FAILURE = timedelta(seconds=30)
_KEPT = "matinee.certificates"
_lock = Lock()


@dataclass(frozen=True, slots=True)
class _Kept:
    """A certificate, or why there is none, and until when that is what we say."""

    until: datetime
    certificate: bytes = b""
    error: MatineeError | None = None


@guard.public("a certificate is public: the service encrypts nothing with it")
def widevine_certificate() -> Response:
    return _certificate(KeySystem.WIDEVINE)


@guard.public("a certificate is public: the service encrypts nothing with it")
def fairplay_certificate() -> Response:
    return _certificate(KeySystem.FAIRPLAY)


def _certificate(system: KeySystem) -> Response:
    _require_service(system)
    kept = _kept(system)
    if kept.error is not None:
        raise kept.error
    response = Response(kept.certificate, mimetype="application/octet-stream")
    response.headers["Cache-Control"] = f"public, max-age={int(_DAY.total_seconds())}"
    return response


def _require_service(system: KeySystem) -> None:
    """Where no service would have a certificate, there is nothing at this address."""
    try:
        licence_services.chosen(context.settings(), system)
    except PreconditionFailed as error:
        raise NotFound(error.code, error.message) from None


def _kept(system: KeySystem) -> _Kept:
    found: dict[KeySystem, _Kept] = current_app.extensions.setdefault(_KEPT, {})
    now = context.installation().clock.now()
    kept = found.get(system)
    if kept is None or kept.until < now:
        # One asks, the others come again: a slow provider must not hold every thread.
        if not _lock.acquire(blocking=False):
            raise TryAgain("licence.busy", "The certificate is just being fetched.")
        try:
            kept = found[system] = _asked(system, now)
        finally:
            _lock.release()
    return kept


def _asked(system: KeySystem, now: datetime) -> _Kept:
    try:
        with in_turn():
            found = licence_services.certificate(context.settings(), system, now)
    except MatineeError as error:
        error.details.clear()
        return _Kept(now + _AFTER_FAILURE, error=error)
    return _Kept(now + _DAY, certificate=found)
