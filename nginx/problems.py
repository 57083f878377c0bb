"""What nginx says itself, in the words and the form of the application's problems."""

import json
from dataclasses import dataclass

from nginx.words import Trusted


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer; ``media`` are those that players get, in the log of media."""

    name: str
    status: int
    code: str
    title: str
    sentence: str
    media: bool = False

    @property
    def document(self) -> Trusted:
        """Return the problem document (RFC 9457) as a text of nginx."""
        body = {
            "type": f"urn:matinee:error:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.sentence,
            "code": self.code,
        }
        return Trusted(f"'{json.dumps(body, ensure_ascii=False)}'")

    @property
    def page(self) -> Trusted:
        """Return a page for people; its style sheets come from the disk."""
        sheets = "".join(
            f'<link rel="stylesheet" href="/static/css/{name}.css">'
            for name in ("tokens", "app")
        )
        return Trusted(
            f'\'<!doctype html><html lang="en"><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width">{sheets}'
            f"<title>{self.title}</title><main><h1>{self.title}</h1>"
            f"<p>{self.sentence}</p></main></html>'"
        )


PROBLEMS = (
    Problem("403", 403, "http.403", "Not allowed", "This is not for everybody."),
    Problem("404", 404, "http.404", "Not found", "There is nothing at this address."),
    Problem(
        "405",
        405,
        "http.405",
        "Not possible here",
        "This address does not take that method.",
    ),
    Problem(
        "413", 413, "http.413", "Too much at once", "That is more than this page takes."
    ),
    Problem(
        "429",
        429,
        "http.429",
        "Too many tries",
        "So many requests came from your address that we ask you to wait a minute.",
    ),
    Problem(
        "503",
        503,
        "http.503",
        "Back in a moment",
        "The portal is just being started. Films that play go on; please reload this"
        " page in a minute.",
    ),
    Problem(
        "media-403",
        403,
        "media.token",
        "Not allowed",
        "This address does not open this film.",
        media=True,
    ),
    Problem(
        "media-404",
        404,
        "media.missing",
        "Not found",
        "There is nothing at this address.",
        media=True,
    ),
    Problem(
        "media-410",
        410,
        "media.expired",
        "No longer valid",
        "This address has run out: press Play again.",
        media=True,
    ),
    Problem(
        "media-503",
        503,
        "media.away",
        "Back in a moment",
        "The film is there, its list of parts is not at the moment: please try again.",
        media=True,
    ),
)
