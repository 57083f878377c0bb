"""Artwork in the Studio: uploaded for each shape, or chosen from the film's frames."""

from pathlib import Path

from flask import Response as FileResponse
from flask import flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext, lazy_gettext
from PIL import Image
from werkzeug.wrappers import Response

from appliance.catalog import artwork, titles
from appliance.catalog.artwork import Artwork, ArtworkKind, ArtworkOrigin
from appliance.catalog.titles import Title
from appliance.errors import InvalidInput, NotFound
from appliance.permissions import Action
from web import context, guard
from web.portal import cards
from web.studio import describing, forms

_MOST_BYTES = 32 * 1024 * 1024
# As wide as fits a phone: where somebody presses is counted in its pixels, and
# without a script nobody knows that it is shown narrower.
_ACROSS = 304
_KINDS = {
    ArtworkKind.BACKDROP: lazy_gettext("Backdrop, 16:9"),
    ArtworkKind.POSTER: lazy_gettext("Poster, 2:3"),
    ArtworkKind.LOGO: lazy_gettext("Logo"),
}
Answer = str | Response | tuple[str, int]


def allow_pictures(endpoint: str | None, _values: object) -> None:
    """Let a picture be larger than other forms, before the guard reads the form."""
    if endpoint in ("studio.add_artwork", "studio.save_portrait", "studio.save_season"):
        request.max_content_length = _MOST_BYTES


@guard.needs(Action.STUDIO_SEE)
def page(slug: str) -> Answer:
    return _page(describing.editable(slug))


@guard.needs(Action.STUDIO_SEE)
def add(slug: str) -> Answer:
    """Keep an uploaded picture in the shape that the button names."""
    kind = _kind()
    title = titles.by_slug(context.db(), context.actor(), slug)
    try:
        with forms.uploaded("picture") as picture:
            artwork.add(
                *(context.db(), context.storage(), context.actor(), title.id, kind),
                picture,
                origin=ArtworkOrigin.UPLOAD,
            )
    except InvalidInput as error:
        return _page(title, error, kind), 400
    flash(gettext("%(kind)s: replaced.", kind=_KINDS[kind]), "ok")
    return _back(slug, kind)


@guard.needs(Action.STUDIO_SEE)
def choose(slug: str, candidate: str) -> Response:
    kind = _kind()
    if kind is ArtworkKind.LOGO:
        raise _no_kind()
    artwork.choose(context.db(), context.storage(), context.actor(), kind, candidate)
    flash(gettext("%(kind)s: it is this frame now.", kind=_KINDS[kind]), "ok")
    return _back(slug, kind)


@guard.needs(Action.STUDIO_SEE)
def focus(slug: str, picture: str) -> Answer:
    """Cut a picture around the point that was pressed on, or typed in per cent."""
    title = describing.editable(slug)
    found = _of_title(title, picture)
    try:
        at = _pressed()
        artwork.refocus(context.db(), context.storage(), context.actor(), picture, at)
    except InvalidInput as error:
        return _page(title, error, found.kind), 400
    flash(gettext("%(kind)s: cut anew.", kind=_KINDS[found.kind]), "ok")
    return _back(slug, found.kind)


@guard.needs(Action.STUDIO_SEE)
def drop(slug: str, picture: str) -> Response:
    found = _of_title(describing.editable(slug), picture)
    artwork.remove(context.db(), context.storage(), context.actor(), picture)
    flash(gettext("%(kind)s: taken away.", kind=_KINDS[found.kind]), "ok")
    return _back(slug, found.kind)


@guard.needs(Action.STUDIO_SEE)
def source(slug: str, picture: str) -> FileResponse:
    """Send what a picture is cut from, to be pressed on."""
    path = _source(_of_title(describing.editable(slug), picture))
    response = send_file(path, etag=f"{picture}-source")
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _page(
    title: Title, error: InvalidInput | None = None, at: ArtworkKind | None = None
) -> str:
    db = context.db()
    return render_template(
        "studio/artwork.html",
        title=title,
        **describing.of_whole(title),
        pictures=[
            (kind.value, words, _pressable(artwork.shown(db, title.id, kind)))
            for kind, words in _KINDS.items()
        ],
        candidates=artwork.candidates(db, title.id),
        card=next(iter(cards.of_titles([title])), None),
        across=_ACROSS,
        error=error,
        at=at.value if at else "",
    )


def _pressable(found: Artwork | None) -> tuple[Artwork, int] | None:
    """Return a picture with the height at which it is shown to be pressed on."""
    if found is None:
        return None
    try:
        with Image.open(_source(found)) as image:
            width, height = image.size
    except (OSError, NotFound):
        width, height = found.width, found.height
    return found, max(1, round(_ACROSS * height / width))


def _source(found: Artwork) -> Path:
    return artwork.source(context.storage(), found)


def _of_title(title: Title, public_id: str) -> Artwork:
    for kind in _KINDS:
        found = artwork.shown(context.db(), title.id, kind)
        if found is not None and found.public_id == public_id:
            return found
    raise NotFound("artwork.missing", gettext("There is no such picture."))


def _pressed() -> tuple[float, float]:
    """Read where an image was pressed on (pixels), or what was typed (per cent)."""
    form = request.form
    across, down = form.get("across", 0.0, float), form.get("down", 0.0, float)
    x, y = form.get("at.x", None, float), form.get("at.y", None, float)
    if x is not None and y is not None and across > 0 and down > 0:
        return min(max(x / across, 0.0), 1.0), min(max(y / down, 0.0), 1.0)
    left, top = form.get("left", None, float), form.get("top", None, float)
    if left is None or top is None:
        raise InvalidInput(
            "artwork.focus",
            gettext("Say in per cent what must be seen: from the left, from the top."),
            {"field": "focus"},
        )
    return left / 100, top / 100


def _kind() -> ArtworkKind:
    for kind in _KINDS:
        if request.form.get("kind") == kind.value:
            return kind
    raise _no_kind()


def _no_kind() -> InvalidInput:
    return InvalidInput(
        "artwork.kind",
        gettext("A picture is used as poster or as backdrop, or uploaded as logo."),
    )


def _back(slug: str, kind: ArtworkKind) -> Response:
    return redirect(url_for("studio.artwork", slug=slug, _anchor=kind.value))
