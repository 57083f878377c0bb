"""Security headers, set in one place on every answer."""

from flask import Flask, Response, request

_CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        # Shaka hands the film to the video element as blob:; without it attach() hangs.
        "media-src 'self' blob: data:",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)

_HEADERS = (
    ("Content-Security-Policy", _CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
)


def install(app: Flask) -> None:
    app.after_request(_set)


def _set(response: Response) -> Response:
    present = {name for name, _ in response.headers}
    for name, value in _HEADERS:
        if name not in present:
            response.headers.add(name, value)
    static = request.endpoint is None or request.endpoint.endswith("static")
    if not static and "Cache-Control" not in present:
        response.headers.add("Cache-Control", "private, no-cache")
    return response
