"""Errors at the web edge: problem+json for programs (RFC 9457), a page for people."""

import logging
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from appliance import trail
from appliance.errors import MatineeError, TooManyRequests, Unauthenticated
from web import languages, refusals

_log = logging.getLogger("matinee.web")
_FOR_PROGRAMS = (
    *("/api/", "/media/", "/licence/", "/internal/"),
    *("/studio/uploads", "/-/"),
)

_KEPT_HEADERS = ("Allow", "Content-Range", "Retry-After")


def install(app: Flask) -> None:
    app.register_error_handler(MatineeError, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unknown)


def _known(error: MatineeError) -> BaseResponse:
    if isinstance(error, Unauthenticated) and not _wants_json():
        back = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return redirect(f"/login?{urlencode({'next': back})}")
    return _answer(error, error.status, error.title)


def _http(error: HTTPException) -> BaseResponse:
    if isinstance(error.response, BaseResponse):
        return error.response
    status = error.code or 500
    sentence = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        413: "That is more than this page takes.",
    }.get(status, error.description or "")
    answer = _answer(MatineeError(f"http.{status}", sentence), status, error.name)
    for name, value in error.get_headers():
        if name in _KEPT_HEADERS:
            answer.headers[name] = value
    return answer


def _unknown(error: Exception) -> BaseResponse:
    _log.exception("unexpected error", exc_info=error)
    return _answer(
        MatineeError("internal", "This is our fault, not yours."),
        MatineeError.status,
        MatineeError.title,
    )


def _answer(error: MatineeError, status: int, title: str) -> Response:
    if _wants_json():
        with languages.as_its_page():
            response = _problem(error, status, refusals.titled(error.code, title))
    else:
        page = render_template(
            "error.html",
            status=status,
            title=refusals.titled(error.code, title),
            message=refusals.said(error),
            reference=trail.request(),
        )
        response = Response(page)
    response.status_code = status
    if isinstance(error, TooManyRequests) and "retry_after" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after"])
    return response


def _problem(error: MatineeError, status: int, title: str) -> Response:
    response = jsonify(
        {
            "type": f"urn:matinee:error:{error.code}",
            "title": title,
            "status": status,
            "detail": refusals.said(error),
            "code": error.code,
            "request": trail.request(),
            **error.details,
        }
    )
    response.mimetype = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    if status == Unauthenticated.status:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _wants_json() -> bool:
    if request.path.startswith(_FOR_PROGRAMS):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and request.accept_mimetypes[best] > 0.9
