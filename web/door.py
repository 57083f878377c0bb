"""What every request passes on its way in and out: it gets an id, is timed and counted.

The id is nginx's own, which its log and the answer show as well: it puts its own in the
place of what a client sends. From whoever is no proxy that is believed none is taken.
"""

import re
import secrets
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask

from appliance import trail
from appliance.counts import Counts, Histogram, series
from appliance.settings import Settings
from web.front import BEFORE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-Id"
VIEW = "matinee.view"
"""Where whoever answers before Flask says which view it stands for."""

REQUESTS = "matinee_http_requests_total"
SPENT = "matinee_http_view_seconds_total"
SECONDS = "matinee_http_request_seconds"
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ID = re.compile(r"[0-9a-f]{32}")


def install(app: Flask, settings: Settings) -> None:
    """Stand before the application, behind what says which proxy is believed."""
    counts = Counts(settings.home / "state" / "counts")
    app.extensions["matinee.counts"] = counts
    app.wsgi_app = _Door(app.wsgi_app, counts)  # type: ignore[assignment,method-assign]


def counts_of(app: Flask) -> Counts:
    """Return what this process counts with."""
    found = app.extensions["matinee.counts"]
    assert isinstance(found, Counts)
    return found


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the answers of a view with a status are counted."""

    buckets: tuple[int, ...]
    requests: int
    sums: tuple[int, int]


class _Door:
    def __init__(self, inside: "WSGIApplication", counts: Counts) -> None:
        self._inside, self._counts = inside, counts
        self._known: dict[tuple[str, str], _Places] = {}

    def __call__(
        self, environ: "WSGIEnvironment", start: "StartResponse"
    ) -> Iterable[bytes]:
        request = _id(environ)
        told: list[tuple[str, str]] = []
        began = perf_counter()
        leading = trail.begin(request)
        try:
            return self._inside(
                environ, partial(_started, start, environ, request, told)
            )
        finally:
            trail.end(leading)
            if told:
                self._count(told[-1], perf_counter() - began)

    def _count(self, what: tuple[str, str], seconds: float) -> None:
        places = self._known.get(what)
        if places is None:
            places = self._known[what] = _places(self._counts, *what)
        bucket = places.buckets[bisect_left(BOUNDS, seconds)]
        self._counts.book((bucket, places.requests), places.sums, seconds)


def _id(environ: "WSGIEnvironment") -> str:
    sent = environ.get("HTTP_X_REQUEST_ID", "") if BEFORE in environ else ""
    return sent if _ID.fullmatch(sent) else secrets.token_hex(16)


def _started(
    start: "StartResponse",
    environ: "WSGIEnvironment",
    request: str,
    told: list[tuple[str, str]],
    status: str,
    headers: list[tuple[str, str]],
    *more: Any,
) -> Any:
    told.append((environ.get(VIEW) or _endpoint(environ), status[:3]))
    headers.append((HEADER, request))
    return start(status, headers, *more)


def _endpoint(environ: "WSGIEnvironment") -> str:
    """Return the name of the view; there are as many as were written, not as asked."""
    asked = environ.get("werkzeug.request")
    rule = getattr(asked, "url_rule", None)
    return "none" if rule is None else str(rule.endpoint)


def _places(counts: Counts, view: str, status: str) -> _Places:
    taken = Histogram.of(SECONDS, BOUNDS, place=view.partition(".")[0])
    return _Places(
        tuple(map(counts.place, taken.buckets)),
        counts.place(series(REQUESTS, view=view, status=status)),
        (counts.place(taken.sum), counts.place(series(SPENT, view=view))),
    )
