"""What nginx says itself, in the words and the form of the application's problems."""

import json
from collections.abc import Mapping
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
        """Return the problem document (RFC 9457), as nginx fills it in."""
        body = {
            "type": f"urn:matinee:error:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.sentence,
            "code": self.code,
            "request": "$request_id",
        }
        return Trusted(f"'{json.dumps(body, ensure_ascii=False)}'")

    @property
    def page(self) -> Trusted:
        """Return a page for people; its style sheets come from the disk.

        nginx can't know which of the languages they read, so it says all of them.
        """
        sheets = "".join(
            f'<link rel="stylesheet" href="/static/css/{name}.css">'
            for name in ("tokens", "app")
        )
        others = "".join(
            f'<p lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">'
            f"{sentence}</p>"
            for language, sentence in zip(_LANGUAGES, _SPOKEN[self.name], strict=True)
        )
        return Trusted(
            f'\'<!doctype html><html lang="en"><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width">{sheets}'
            f"<title>{self.title}</title><main><h1>{self.title}</h1>"
            f"<p>{self.sentence}</p>{others}</main></html>'"
        )


_LANGUAGES = ("de", "fr", "es", "ar")
# What pages say besides English, in the order of the languages.
_SPOKEN: Mapping[str, tuple[str, str, str, str]] = {
    "403": (
        "Das ist nicht für alle.",
        "Ceci n’est pas ouvert à tous.",
        "Esto no está abierto a todo el mundo.",
        "هذا غير متاح للجميع.",
    ),
    "404": (
        "Unter dieser Adresse gibt es nichts.",
        "Il n’y a rien à cette adresse.",
        "No hay nada en esta dirección.",
        "لا شيء في هذا العنوان.",
    ),
    "405": (
        "So lässt sich diese Adresse nicht aufrufen.",
        "Cette adresse n’est pas accessible ainsi.",
        "A esta dirección no se llega así.",
        "لا يمكن الوصول إلى هذا العنوان بهذه الطريقة.",
    ),
    "413": (
        "Das ist mehr, als diese Seite annimmt.",
        "C’est plus que cette page n’accepte.",
        "Eso es más de lo que admite esta página.",
        "هذا أكثر مما تقبله هذه الصفحة.",
    ),
    "429": (
        "Von Ihrer Adresse kamen so viele Anfragen, dass wir Sie bitten, eine Minute"
        " zu warten.",
        "Tant de demandes sont venues de votre adresse que nous vous prions d’attendre"
        " une minute.",
        "Han llegado tantas peticiones desde su dirección que le rogamos que espere un"
        " minuto.",
        "وردت من عنوانك طلبات كثيرة جدًا؛ يُرجى الانتظار دقيقة.",
    ),
    "503": (
        "Das Portal wird gerade gestartet. Laufende Filme gehen weiter; bitte laden"
        " Sie diese Seite in einer Minute neu.",
        "Le portail démarre. Les films en cours continuent ; veuillez recharger cette"
        " page dans une minute.",
        "El portal se está iniciando. Las películas en curso continúan; vuelva a"
        " cargar esta página en un minuto.",
        "البوابة قيد التشغيل الآن. تستمر الأفلام الجارية؛ يُرجى إعادة تحميل هذه"
        " الصفحة بعد دقيقة.",
    ),
}

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
