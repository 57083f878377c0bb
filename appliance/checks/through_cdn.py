"""The checks of a CDN: each asks through its public address, as viewers do.

Some put one file into its cache and take it out again; nothing else is changed.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from posixpath import normpath

from appliance import outbound
from appliance.calls import Answer
from appliance.delivery import shield, tokens
from appliance.delivery.cdn import vendors
from appliance.delivery.cdn.visitor import Visitor, from_cache, tampered
from appliance.delivery.routes import Route
from appliance.delivery.tokens import Algorithm, Scope
from appliance.errors import MatineeError
from appliance.operations.findings import Finding, Level
from appliance.settings import Settings

_REFUSED = (401, 403, 404, 410)
_STRANGER = "https://stranger.invalid"
_TRIES = 5
_SOON, _DAY = 60, 86_400

Verdict = tuple[Level, str, str]


@dataclass(frozen=True, slots=True)
class Visit:
    """What checks know: who asks, the portal, a segment of the film, and the time."""

    visitor: Visitor
    portal: str
    segment: str
    now: int
    pages: tuple[str, ...]

    @property
    def later(self) -> int:
        return self.now + 240


PAGES = ("/", "/login", "/api/v1/titles", "/-/live", "/internal/")
"""What a CDN has no reason to deliver."""


def examine(
    visitor: Visitor, portal: str, now: int, pages: tuple[str, ...] = PAGES
) -> Iterator[Finding]:
    """Run every check; when the CDN gives no film at all, that is the one finding."""
    try:
        level, sentence, fix, segment = reach(visitor, now)
    except MatineeError as error:
        level, sentence, fix, segment = Level.FAIL, error.message, _SEE, ""
    yield Finding("cdn.delivers", level, sentence, fix)
    if not segment:
        return
    visit = Visit(visitor, portal, segment, now, pages)
    for check_id, check in CHECKS.items():
        try:
            level, sentence, fix = check(visit)
        except MatineeError as error:
            level, sentence, fix = Level.FAIL, error.message, _SEE
        yield Finding(check_id, level, sentence, fix)


_SEE = "matinee cdn setup"


def visitor(settings: Settings, route: Route, asset: str) -> Visitor:
    """Return somebody who asks for the film of an asset by a route."""
    return Visitor(
        route=route,
        asset=asset,
        keys=tokens.load(settings.keys),
        algorithm=Algorithm(settings.origin.token),
        ways=outbound.of(settings),
        signer=vendors.signer(settings, route.vendor) if route.vendor else None,
    )


def _ok(sentence: str) -> Verdict:
    return Level.OK, sentence, ""


def _see(step: str) -> str:
    return f"matinee cdn setup, step “{step}”"


def reach(visitor: Visitor, now: int) -> tuple[Level, str, str, str]:
    """Follow the manifests to a segment, as a player does."""
    signed = visitor.signed(now + 240)
    name, seen = "master.m3u8", ""
    for _ in range(3):
        answer = visitor.get(signed, name)
        if answer.status != 200:
            refused = answer.status in (401, 403, 410)
            fix = _see("Token" if refused else "Where it fetches from")
            told = f"{name} was answered with {answer.status}"
            return Level.FAIL, told, fix, ""
        if not name.endswith(".m3u8"):
            seen = name
            break
        folder = name.rpartition("/")[0]
        lines = answer.body.decode("utf-8", "replace").splitlines()
        first = next((each for each in lines if each and each[0] != "#"), "")
        name = normpath(f"{folder}/{first}").lstrip("/")
    host = visitor.route.base
    if not seen:
        fix = _see("Where it fetches from")
        return Level.FAIL, f"{host} gives no playlists", fix, ""
    return Level.OK, f"{host} gives manifests and {seen}", "", seen


def _hit(visit: Visit) -> Verdict:
    signed = visit.visitor.signed(visit.later)
    visit.visitor.get(signed, visit.segment)
    for again in range(1, _TRIES + 1):
        kept = from_cache(visit.visitor.get(signed, visit.segment))
        if kept is None:
            told = "no header of the CDN says whether an answer was kept"
            return Level.WARN, told, "have it send one, as X-Cache"
        if kept and again == 1:
            return _ok("the second request came from the cache")
        if kept:
            return Level.WARN, f"only request {again + 1} came from the cache", ""
    return Level.FAIL, "segments are not kept: every request asks us", _see("Cache")


def _shared(visit: Visit) -> Verdict:
    for seconds in (60, 120):
        signed = visit.visitor.signed(visit.later + seconds)
        kept = from_cache(visit.visitor.get(signed, visit.segment))
        if kept is None:
            return Level.WARN, "nothing tells whether viewers share what is kept", ""
        if kept:
            return _ok("another viewer gets what was kept for the first")
    told = "each viewer's request asks us anew: the token is part of the cache key"
    return Level.FAIL, told, _see("Cache")


def _expired(visit: Visit) -> Verdict:
    signed = visit.visitor.signed(visit.now - 3600)
    return _refused(visit.visitor.get(signed, visit.segment), "one that has run out")


def _foreign(visit: Visit) -> Verdict:
    signed = visit.visitor.foreign(visit.later)
    answer = visit.visitor.get(signed, visit.segment)
    return _refused(answer, "one for another film")


def _forged(visit: Visit) -> Verdict:
    signed = tampered(visit.visitor.signed(visit.later))
    return _refused(visit.visitor.get(signed, visit.segment), "a forged one")


def _bare(visit: Visit) -> Verdict:
    folder = visit.visitor.bare().path
    for query in ("", "?xSignature=1", "?token=&hdnts=&verify=&Policy=&Signature="):
        answer = visit.visitor.ask(f"{folder}{visit.segment}{query}")
        verdict = _refused(answer, "none at all")
        if verdict[0] is not Level.OK:
            return verdict
    return _ok("requests without a signature are refused")


def _refused(answer: Answer, what: str) -> Verdict:
    if answer.status in _REFUSED:
        return _ok(f"a signature is needed: {what} is refused ({answer.status})")
    if answer.status // 100 == 2:
        told = f"the film is given to whoever has {what} in place of a signature"
        return Level.FAIL, told, _see("Token")
    told = f"with {what} the answer is {answer.status}, not 403"
    return Level.WARN, told, _see("Token")


def _keys(visit: Visit) -> Verdict:
    signed = visit.visitor.signed(visit.later)
    return _never_kept(
        [
            partial(visit.visitor.get, signed, f"key/{secrets.token_hex(16)}"),
            partial(visit.visitor.get, signed, f"key/{'0' * 32}"),
            partial(visit.visitor.ask, "/licence/clearkey"),
            partial(visit.visitor.ask, "/licence/widevine/certificate"),
        ],
        "keys and licences",
    )


def _pages(visit: Visit) -> Verdict:
    paths = visit.pages
    level, sentence, fix = _never_kept(
        [partial(visit.visitor.ask, path) for path in paths], "pages and the API"
    )
    given = [path for path in paths if visit.visitor.ask(path).status == 200]
    if level is Level.OK and given:
        told = f"besides films it delivers {', '.join(given)}"
        return Level.WARN, told, _see("What it delivers")
    return level, sentence, fix


def _never_kept(asks: Sequence[Callable[[], Answer]], what: str) -> Verdict:
    for ask in asks:
        ask()
        if from_cache(ask()):
            told = f"answers about {what} are kept: one viewer's may reach another"
            return Level.FAIL, told, _see("What it delivers")
    return _ok(f"answers about {what} are not kept")


def _cors(visit: Visit) -> Verdict:
    signed = visit.visitor.signed(visit.later)
    # The stranger first: what it was told must not be kept for the others.
    answers = [
        visit.visitor.get(signed, name, {"Origin": origin})
        for name in (visit.segment, "thumbnails.vtt", "manifest.mpd")
        for origin in (_STRANGER, visit.portal)
    ]
    allowed = [each.headers.get("Access-Control-Allow-Origin", "") for each in answers]
    if _STRANGER in allowed:
        return Level.FAIL, "pages of strangers may read films", _see("CORS")
    if any(each not in (visit.portal, "*") for each in allowed[1::2]):
        told = f"pages of {visit.portal} may not read films"
        return Level.FAIL, told, _see("CORS")
    if "*" in allowed:
        return Level.WARN, "pages of anybody may read films (*)", _see("CORS")
    return _ok(f"pages of {visit.portal} may read films, those of strangers not")


def _ranges(visit: Visit) -> Verdict:
    signed = visit.visitor.signed(visit.later)
    whole = visit.visitor.get(signed, visit.segment).body
    for asked, right in (
        ("bytes=10-19", whole[10:20]),
        ("bytes=-10", whole[-10:]),
        (f"bytes={len(whole) - 5}-", whole[-5:]),
    ):
        answer = visit.visitor.get(signed, visit.segment, {"Range": asked})
        if (answer.status, answer.body) != (206, right):
            told = f"the range {asked} was answered with {answer.status}, and not right"
            return Level.FAIL, told, _see("Cache")
    beyond = {"Range": f"bytes={len(whole)}-"}
    status = visit.visitor.get(signed, visit.segment, beyond).status
    if status != 416:
        told = f"a range beyond the end was answered with {status}, not 416"
        return Level.WARN, told, _see("Cache")
    return _ok("parts of a file are what was asked for")


def _lifetimes(visit: Visit) -> Verdict:
    signed = visit.visitor.signed(visit.later)
    manifest = _max_age(visit.visitor.get(signed, "manifest.mpd"))
    segment = _max_age(visit.visitor.get(signed, visit.segment))
    if manifest > _SOON:
        told = f"manifests may be kept for {manifest} s, and change with the film"
        return Level.FAIL, told, _see("Cache")
    if segment < _DAY:
        told = f"segments may be kept for {segment} s only, and never change"
        return Level.WARN, told, _see("Cache")
    return _ok(f"manifests may be kept for {manifest} s, segments for long")


def _max_age(answer: Answer) -> int:
    fields = {
        name.strip().lower(): value
        for part in answer.headers.get("Cache-Control", "").split(",")
        for name, _, value in [part.partition("=")]
    }
    text = fields.get("max-age", "")
    return int(text) if text.isdigit() and "no-store" not in fields else 0


def _origin(visit: Visit) -> Verdict:
    """Ask the origin for what it gives to CDNs, without its secret."""
    path = f"{shield.folder(visit.visitor.asset, Scope.ALL)}{visit.segment}"
    try:
        answers = [
            visit.visitor.ask(path, headers, base=visit.portal)
            for headers in ({}, {shield.HEADER: "0" * 64})
        ]
    except MatineeError as error:
        return Level.WARN, f"{visit.portal} can't be asked from here: {error}", ""
    if any(each.status // 100 == 2 for each in answers):
        told = f"{visit.portal} gives films to whoever knows their address"
        return Level.FAIL, told, "matinee nginx install"
    return _ok(f"{visit.portal} opens what CDNs fetch to nobody else")


CHECKS: Mapping[str, Callable[[Visit], Verdict]] = {
    "cdn.hit": _hit,
    "cdn.shared": _shared,
    "token.expired": _expired,
    "token.foreign": _foreign,
    "token.forged": _forged,
    "token.bare": _bare,
    "keys.kept": _keys,
    "pages.kept": _pages,
    "cors.right": _cors,
    "ranges.right": _ranges,
    "lifetimes.right": _lifetimes,
    "origin.closed": _origin,
}
