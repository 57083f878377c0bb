"""Checks of the certificate that browsers see: for whom, by whom, until when."""

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

from appliance import outbound
from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.errors import InvalidInput, NotFound
from appliance.operations.certificates import accepting, keys, place, renewal
from appliance.operations.certificates.place import Place, Source
from appliance.operations.certificates.reading import Certificate
from appliance.operations.findings import Level

_NONE = "nginx speaks no TLS here (nginx.tls_certificate)"
_ANEW = {
    Source.SELF_SIGNED: "matinee tls self-signed",
    Source.OWN: "matinee tls install CERTIFICATE KEY, with one that holds",
    Source.ACME: "matinee tls renew, which says what keeps it from that",
}


def _used(examined: Examined) -> Place | None:
    """Return where the certificate is; None where there is no TLS."""
    settings = examined.settings
    return place.of(settings) if settings.nginx.tls_certificate else None


def _repair(where: Place) -> str:
    try:
        return _ANEW[place.source(where)]
    except (NotFound, InvalidInput):
        return _ANEW[Source.SELF_SIGNED]


def _name(examined: Examined) -> Answer:
    where = _used(examined)
    if where is None:
        return ok(_NONE)
    settings = examined.settings
    host = urlsplit(settings.portal.public_url or settings.edge.url).hostname or ""
    found = place.described(where)
    held = ", ".join(found.names) or "no name"
    if not host:
        return ok(f"the certificate is for {held}; portal.public_url is not set")
    if found.covers(host):
        return ok(f"the certificate is for {host}")
    return (
        Level.FAIL,
        f"the certificate is for {held}, and people type {host}",
        f"{_repair(where)}; or set portal.public_url to a name that it holds",
    )


def _chain(examined: Examined) -> Answer:
    where = _used(examined)
    if where is None:
        return ok(_NONE)
    found = place.described(where)
    if found.self_signed:
        return ok(
            "this machine signed the certificate itself; browsers ask, and its"
            f" fingerprint is {found.fingerprint}"
        )
    pair = accepting.Pair(place.content(where), b"")
    trusted = accepting.authorities(Path(outbound.of(examined.settings).trusted))
    anyway = trusted if place.source(where) is Source.OWN else None
    trouble = accepting.trouble_above(pair, examined.clock.now(), anyway)
    if trouble is not None:
        return Level.FAIL, trouble.message, _repair(where)
    return ok(f"{found.issuer} signed the certificate, and the chain is whole")


def _expiry(examined: Examined) -> Answer:
    where = _used(examined)
    if where is None:
        return ok(_NONE)
    found, now = place.described(where), examined.clock.now()
    days = found.days_left(now)
    if now < found.begins:
        told = (
            f"the certificate holds from {found.begins:%Y-%m-%d} on, which is to come"
        )
        return Level.FAIL, told, "put the clock right (timedatectl)"
    if days < 0:
        told = f"the certificate ended on {found.ends:%Y-%m-%d}: browsers refuse it"
        return Level.FAIL, told, _repair(where)
    told = f"the certificate holds until {found.ends:%Y-%m-%d}, {days} days"
    wait = renewal.last_failure(where.acme)
    if days < min(examined.settings.tls.warn_days, _half(found)):
        why = f"; {wait.problem}" if wait else ""
        return Level.WARN, f"{told}{why}", _repair(where)
    return ok(told)


def _half(found: Certificate) -> int:
    """Return half the days that it lives: of a short one, the end is always near."""
    return (found.ends - found.begins).days // 2


def _key(examined: Examined) -> Answer:
    where = _used(examined)
    if where is None:
        return ok(_NONE)
    try:
        mode = stat.S_IMODE(where.key.stat().st_mode)
    except FileNotFoundError:
        return Level.FAIL, f"there is no key at {where.key}", _repair(where)
    if mode & 0o077:
        told = f"others than its owner may read {where.key} (mode {mode:o})"
        return Level.FAIL, told, f"chmod 600 {where.key}, then {_repair(where)}"
    if not os.access(where.key, os.R_OK):
        return ok("nobody but root may read the key of the certificate")
    held = keys.read(where.key.read_bytes(), str(where.key))
    if not keys.belongs(held, accepting.Pair(place.content(where), b"").chain[0]):
        told = f"{where.key} does not belong to {where.certificate}"
        return Level.FAIL, told, _repair(where)
    return ok("the key belongs to the certificate, and nobody else may read it")


CHECKS: Checks = {
    "tls.name": Check(_name),
    "tls.chain": Check(_chain),
    "tls.expiry": Check(_expiry),
    "tls.key": Check(_key),
}
