"""Errors at the web edge: problem+json for programs (RFC 9457), a page for people."""

import logging
import secrets
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from appliance.errors import MatineeError, TooManyRequests, Unauthenticated

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
    return _answer(error.status, error.title, error.message, error.code, error)


def _http(error: HTTPException) -> BaseResponse:
    if isinstance(error.response, BaseResponse):
        return error.response
    status = error.code or 500
    sentence = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        413: "That is more than this page takes.",
    }.get(status, error.description or "")
    answer = _answer(status, error.name, sentence, f"http.{status}")
    for name, value in error.get_headers():
        if name in _KEPT_HEADERS:
            answer.headers[name] = value
    return answer


def _unknown(error: Exception) -> BaseResponse:
    reference = secrets.token_hex(4)
    _log.exception("unexpected error, reference %s", reference, exc_info=error)
    return _answer(
        500,
        "Something went wrong",
        f"This is our fault, not yours. Reference {reference}.",
        "internal",
    )


def _answer(
    status: int,
    title: str,
    message: str,
    code: str,
    error: MatineeError | None = None,
) -> Response:
    details = error.details if error else {}
    if _wants_json():
        body = {
            "type": f"urn:matinee:error:{code}",
            "title": title,
            "status": status,
            "detail": message,
            "code": code,
            **details,
        }
        response = jsonify(body)
        response.mimetype = "application/problem+json"
        response.headers["Cache-Control"] = "no-store"
        if status == Unauthenticated.status:
            response.headers["WWW-Authenticate"] = "Bearer"
    else:
        page = render_template(
            "error.html", status=status, title=title, message=message
        )
        response = Response(page)
    response.status_code = status
    if isinstance(error, TooManyRequests) and "retry_after" in details:
        response.headers["Retry-After"] = str(details["retry_after"])
    return response


def _wants_json() -> bool:
    if request.path.startswith(_FOR_PROGRAMS):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and request.accept_mimetypes[best] > 0.9
