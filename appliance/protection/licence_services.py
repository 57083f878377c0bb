"""Licences from the service of a provider: asked for, unwrapped, and its troubles told.

The service is one line of a table (:mod:`appliance.protection.services.table`). What it
says when it fails stays here: neither its text nor our secrets reach the player.
"""

import base64
import binascii
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from appliance import calls, outbound
from appliance.cenc import KeySystem
from appliance.errors import (
    ConfigError,
    Forbidden,
    InvalidInput,
    MatineeError,
    PreconditionFailed,
    ServiceFailed,
    ServiceSlow,
    TryAgain,
)
from appliance.protection import challenges, credentials
from appliance.protection.credentials import Section
from appliance.protection.policy import DEFAULT
from appliance.protection.services.shapes import (
    Issued,
    Outgoing,
    Service,
    Unusable,
    Wish,
)
from appliance.protection.services.table import SERVICES
from appliance.settings import Settings

LARGEST_LICENCE = 256 * 1024

_log = logging.getLogger("matinee.licence")
_NAME = re.compile(r"\{(\w+)\}")
_DER = b"\x30"
# A service that says so does not know us; any other 4xx is about this request.
_OUR_FAULT = (401, 402, 404, 405, 407)


def chosen(settings: Settings, system: KeySystem) -> Service:
    """Return the service that gives licences of a key system.

    Errors: ``PreconditionFailed`` licence.no-service.
    """
    service = SERVICES.get(settings.protection.licences_from)
    if service is None or system not in service.addresses:
        raise PreconditionFailed(
            "licence.no-service",
            f"No licence service for {system} is set up here. Please tell whoever runs"
            " this service.",
        )
    return service


def obtain(settings: Settings, wish: Wish) -> Issued:
    """Ask the service for a licence. Never inside ``write(db)``: it takes its time.

    Errors: ``Forbidden`` licence.provider-refused, ``ServiceFailed`` licence.provider,
    ``ServiceSlow`` licence.provider-slow, ``PreconditionFailed`` licence.no-service or
    licence.provider-setup.
    """
    service = chosen(settings, wish.system)
    with _troubles(service):
        secrets = credentials.section(settings, service.section)
        outgoing = _outgoing(settings, service, wish, secrets)
        answer = _ask(settings, service, outgoing)
        return _licence(wish.system, service.unwrap(wish.system, answer))


def certificate(settings: Settings, system: KeySystem, now: datetime) -> bytes:
    """Return the certificate that players of a key system need before a licence.

    Widevine's is asked for as its players do; FairPlay's lies at an address.
    Errors: those of :func:`obtain`.
    """
    service = chosen(settings, system)
    if system is KeySystem.WIDEVINE:
        return _certificate(service, obtain(settings, certificate_wish(now)))
    with _troubles(service):
        secrets = credentials.section(settings, service.section)
        address = secrets.get("fairplay_certificate") or service.certificate
        if not address:
            raise Unusable("nothing: “fairplay_certificate” is not set")
        url = _filled(address, {}, secrets)
        return _der(_ask(settings, service, Outgoing(url, {}, b""), method="GET"))


def certificate_wish(now: datetime) -> Wish:
    """Return what a Widevine player sends first when it has no certificate."""
    return Wish(
        KeySystem.WIDEVINE,
        challenges.CERTIFICATE_REQUEST,
        soap_action="",
        keys=(),
        policy=DEFAULT,
        asset="",
        session="",
        viewer="",
        now=now,
    )


@contextmanager
def _troubles(service: Service) -> Iterator[None]:
    """Turn what went wrong into what a player may be told; the rest is logged."""
    try:
        yield
    except Unusable as error:
        _log.warning("%s answered with %s", service.name, error)
        raise ServiceFailed(
            "licence.provider",
            "The licence service answered with something that is no licence. Please"
            " try again later.",
            {"provider": service.section, "trouble": "unusable"},
        ) from None
    except (ConfigError, PreconditionFailed, TryAgain) as error:
        _log.warning("%s: %s", service.name, error.message)
        raise _mapped(service, error) from None


def _mapped(service: Service, error: MatineeError) -> MatineeError:
    trouble = error.code.removeprefix("protection.")
    details = {"provider": service.section, "trouble": trouble}
    status = error.details.get("status", 0)
    if trouble == "provider-slow":
        return ServiceSlow(
            "licence.provider-slow",
            "The licence service did not answer in time. Please try again.",
            details,
        )
    if trouble == "provider-refused" and status not in _OUR_FAULT:
        return Forbidden(
            "licence.provider-refused",
            "The licence service refused this device. Try another browser or device.",
            details,
        )
    if trouble.startswith("provider-") and trouble != "provider-address":
        return ServiceFailed(
            "licence.provider",
            "The licence service failed. Please try again later.",
            details,
        )
    return PreconditionFailed(
        "licence.provider-setup",
        "The licence service is not set up rightly here. Please tell whoever runs this"
        " service.",
        details,
    )


def _outgoing(
    settings: Settings, service: Service, wish: Wish, secrets: Section
) -> Outgoing:
    """Put a request together from the line of the table."""
    address = _own_address(settings, wish.system) or service.addresses[wish.system]
    url = _filled(address, {"asset": wish.asset}, secrets)
    if service.locate is not None:

        def ask(first: Outgoing) -> bytes:
            return _ask(settings, service, first)

        url = service.locate(ask, url, wish, secrets)
    kind, body = service.body(wish, secrets)
    headers = {"Content-Type": kind, **service.headers(wish, secrets)}
    if wish.system is KeySystem.PLAYREADY:
        headers["SOAPAction"] = wish.soap_action
    return Outgoing(_with_query(url, service.query(wish, secrets)), headers, body)


def _own_address(settings: Settings, system: KeySystem) -> str:
    found: str = getattr(settings.protection, f"{system.name.lower()}_url")
    return found


def _filled(address: str, known: Mapping[str, str], secrets: Section) -> str:
    """Put values in the place of names in braces."""
    return _NAME.sub(
        lambda match: quote(known.get(match[1]) or secrets[match[1]], safe=""), address
    )


def _with_query(url: str, query: Mapping[str, str]) -> str:
    if not query:
        return url
    parts = urlsplit(url)
    joined = "&".join(filter(None, (parts.query, urlencode(query))))
    return urlunsplit(parts._replace(query=joined))


def _ask(
    settings: Settings, service: Service, outgoing: Outgoing, method: str = "POST"
) -> bytes:
    answer = calls.call(
        method,
        outgoing.url,
        ways=outbound.of(settings),
        headers=outgoing.headers,
        body=outgoing.body,
        timeout=settings.protection.timeout_seconds,
        service=service.name,
        largest=LARGEST_LICENCE,
    )
    if not answer.body:
        raise Unusable("nothing")
    return answer.body


def _licence(system: KeySystem, issued: Issued) -> Issued:
    """Refuse what can't be a licence: some services give an error page with 200."""
    if system is KeySystem.WIDEVINE:
        if not issued.release and not challenges.is_answer(issued.body):
            raise Unusable("no message of Widevine")
    elif system is KeySystem.PLAYREADY:
        if b"AcquireLicenseResponse" not in issued.body:
            raise Unusable("no licence response in SOAP")
    elif not issued.body or issued.body.lstrip()[:1] in (b"<", b"{"):
        raise Unusable("no licence")
    return issued


def _certificate(service: Service, issued: Issued) -> bytes:
    with _troubles(service):
        try:
            return challenges.certificate(issued.body)
        except InvalidInput:
            raise Unusable("no certificate") from None


def _der(answer: bytes) -> bytes:
    """Return a certificate in DER, which some services give as base64 text."""
    if not answer.startswith(_DER):
        try:
            answer = base64.b64decode(b"".join(answer.split()), validate=True)
        except binascii.Error:
            answer = b""
    if not answer.startswith(_DER):
        raise Unusable("no certificate")
    return answer
