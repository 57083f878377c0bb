"""Artwork in the Studio: chosen from the film's own frames, or uploaded."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from appliance.catalog import artwork, titles
from appliance.catalog.artwork import ArtworkKind, ArtworkOrigin
from appliance.errors import InvalidInput
from appliance.permissions import Action
from web import context, guard
from web.studio import forms

_MOST_BYTES = 32 * 1024 * 1024
_KINDS = {"poster": ArtworkKind.POSTER, "backdrop": ArtworkKind.BACKDROP}


def allow_pictures(endpoint: str | None, _values: object) -> None:
    """Let a picture be larger than other forms, before the guard reads the form."""
    if endpoint == "studio.add_artwork":
        request.max_content_length = _MOST_BYTES


@guard.needs(Action.STUDIO_SEE)
def add(slug: str) -> Response:
    kind = _kind()
    title = titles.by_slug(context.db(), context.actor(), slug)
    try:
        with forms.uploaded("picture") as picture:
            artwork.add(
                context.db(),
                context.storage(),
                context.actor(),
                title.id,
                kind,
                picture,
                origin=ArtworkOrigin.UPLOAD,
            )
    except InvalidInput as error:
        flash(error.message, "bad")
    else:
        flash(f"The {kind} is replaced.", "ok")
    return redirect(url_for("studio.title", slug=slug, _anchor="artwork"))


@guard.needs(Action.STUDIO_SEE)
def choose(slug: str, candidate: str) -> Response:
    kind = _kind()
    artwork.choose(context.db(), context.storage(), context.actor(), kind, candidate)
    flash(f"The {kind} is this frame now.", "ok")
    return redirect(url_for("studio.title", slug=slug, _anchor="artwork"))


def _kind() -> ArtworkKind:
    try:
        return _KINDS[request.form.get("kind", "")]
    except KeyError as error:
        raise InvalidInput(
            "artwork.kind", "A picture is used as poster or as backdrop."
        ) from error
