"""How a CDN is set up for this installation, step by step, with its own words in it.

What is particular to a vendor stands in ``recipes/<name>.txt``, pushing at its end;
what holds for all of them comes before and after.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from appliance import objects
from appliance.delivery import routes, shield
from appliance.delivery.cdn.cloudflare import LIFETIME_SECONDS
from appliance.errors import ConfigError
from appliance.settings import Settings

_FOLDER = Path(__file__).parent / "recipes"
_UNKNOWN_CDN = "https://YOUR-CDN-HOST"
# What comes before the scope and after it in /media/<asset>/<scope>/, and its lengths.
_AROUND, _SCOPES = 25, range(3, 7)

_FIRST = """\
A pull CDN asks $origin_host for what it does not have, and keeps it:

    /media/<asset>/<scope>/tracks/…                 a year: such a file never changes
    /media/<asset>/<scope>/*.m3u8, *.mpd, *.vtt     ten seconds

<scope> is “all”, or “h720” where a viewer may have no more than that. The addresses
are the same for every viewer; the CDN checks a signature of the folder, and the origin
opens them to whoever shows its secret. Never kept, nor delivered: /media/*/*/key/*,
/licence/*, and all else that is not below /media/. Errors are not kept either."""

_LAST = """\
In matinee.toml, then restart the portal and install nginx's configuration:

    [cdn]
    name = "$name"
    url = "$cdn"

    matinee nginx install
    matinee cdn doctor

The doctor asks through that address as viewers do."""

_PUSHED = """\
Nothing needs this: it is for films that shall be there before anybody asks, or for a
thin line from here. Set objects.bucket in matinee.toml, and its keys in s3.toml; then,
after publishing or each night:

    matinee cdn push TITLE
    matinee cdn push --all --prune --yes

Pictures, sound and subtitles lie in the bucket then as the CDN asks for them, below
$bucket/media/<asset>/all/tracks/ . At the CDN, in this order:

    GET /media/*/all/tracks/*    $bucket
                                 with a key that may only read; without $header
    it says 403, 404 or fails    $origin, as above

That is about answers of the bucket: what the CDN itself refuses for its token stays
refused. Manifests, folders of <scope> “h…” and all else come from $origin as above;
token, cache key and CORS are the same for both. The bucket is for the CDN alone: films
that are not protected lie there clear.

"""


@dataclass(frozen=True, slots=True)
class Step:
    """A title, and what to do."""

    title: str
    text: str


def steps(settings: Settings, name: str, *, with_secret: bool = False) -> list[Step]:
    """Return the recipe for the CDN called ``name``.

    ``with_secret`` writes the origin's secret into it, which is made when there is
    none. Errors: ``ConfigError`` without ``portal.public_url``, or for addresses that
    can't be used.
    """
    words = _words(settings, name, with_secret)
    text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    first = [] if name == routes.OWN else [Step("What happens", _FIRST)]
    *parts, push = _parsed(text)
    pushed = Step(push.title, _PUSHED + push.text)
    found = [*first, *parts, Step("Switch it on", _LAST), pushed]
    return [
        Step(each.title, Template(each.text).substitute(words).strip("\n"))
        for each in found
    ]


def _parsed(text: str) -> Iterator[Step]:
    for part in text.split("## ")[1:]:
        title, _, body = part.partition("\n")
        yield Step(title, body)


def _words(settings: Settings, name: str, with_secret: bool) -> Mapping[str, str]:
    origin = settings.portal.public_url.rstrip("/")
    if not urlsplit(origin).hostname:
        raise ConfigError(
            "cdn.origin",
            "Set portal.public_url first: a CDN must be told where to fetch films.",
        )
    url = settings.cdn.url
    cdn = routes.origin("cdn.url", url) if url else _UNKNOWN_CDN
    listed = settings.origin.cors_origins.split(",")
    readers = [origin, *(each.strip() for each in listed if each.strip())]
    return {
        "name": name,
        "cdn": cdn,
        "cdn_host": urlsplit(cdn).netloc,
        "origin": origin,
        "origin_host": urlsplit(origin).netloc,
        "reader": _reader(readers),
        "readers": ", ".join(readers),
        "header": shield.HEADER,
        "secret": _secret(settings, name, with_secret),
        "keys": str(settings.keys),
        "secrets_file": settings.cdn.credentials or str(settings.keys / "cdn.toml"),
        "lifetime": str(LIFETIME_SECONDS),
        "clauses": _clauses(),
        "algorithm": settings.origin.token,
        "bucket": _bucket(settings),
    }


def _reader(readers: list[str]) -> str:
    if len(readers) == 1:
        return readers[0]
    return f"(the request's Origin, if it is one of: {', '.join(readers)}; with Vary)"


def _bucket(settings: Settings) -> str:
    if not settings.objects.bucket:
        return "https://YOUR-BUCKET"
    place = objects.place(settings)
    return f"{place.url}{place.folder}".rstrip("/")


def _secret(settings: Settings, name: str, with_secret: bool) -> str:
    if with_secret:
        return shield.secrets(settings.keys)[0]
    return f"(shown by: matinee cdn setup {name} --show-secret)"


def _clauses() -> str:
    """Return Cloudflare's question for each length that a folder can have."""
    return "\n      or\n".join(
        f'      is_timed_hmac_valid_v0("SECRET",\n'
        f"        concat(substring(http.request.uri.path, 0, {_AROUND + scope}),"
        ' "?", http.request.uri.query),\n'
        f'        {LIFETIME_SECONDS}, http.request.timestamp.sec, 8, "s")'
        for scope in _SCOPES
    )
