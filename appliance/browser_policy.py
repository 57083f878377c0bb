"""What browsers are told to allow: one table, sent by the application and by nginx."""

from collections.abc import Sequence


def headers(media_hosts: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """Return the security headers of every answer.

    ``media_hosts`` are the origins, as https://cdn.example, that films may come from
    besides this one.
    """
    return (
        ("Content-Security-Policy", "; ".join(_policy(" ".join(["", *media_hosts])))),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("X-Frame-Options", "DENY"),
        ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    )


def _policy(media: str) -> tuple[str, ...]:
    return (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' data: blob:{media}",
        "font-src 'self'",
        f"connect-src 'self'{media}",
        # Shaka hands the film to the video element as blob:; without it attach() hangs.
        f"media-src 'self' blob: data:{media}",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
