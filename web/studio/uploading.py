"""The upload page: a draft title for each film, filled in while the film arrives."""

from dataclasses import dataclass

from flask import Response, jsonify, render_template, request

from appliance.catalog import genres, titles
from appliance.catalog.titles import Title
from appliance.media import sources, uploads
from appliance.media.uploads import Upload
from appliance.permissions import Action, check_title
from web import context, guard
from web.studio import arrivals, forms, tus
from web.studio.parts import BASE


@dataclass(frozen=True, slots=True)
class Waiting:
    """An upload that began before this page was opened, and how far it came."""

    upload: Upload
    title: Title | None
    received: int
    modified: str

    @property
    def whole(self) -> bool:
        return self.received == self.upload.bytes


@guard.needs(Action.TITLE_CREATE)
def page() -> str:
    """Show what is on its way; ``?title=`` takes a new film for that title."""
    db, parts = context.db(), tus.parts()
    arrivals.tidy(db, context.settings(), parts)
    mine = uploads.of_account(db, context.actor().account_id or 0)
    slug = request.args.get("title", "")
    return render_template(
        "studio/upload.html",
        into=_editable(slug) if slug else None,
        waiting=[_waiting(upload) for upload in mine],
        endpoint=BASE,
        chunk=parts.max_chunk,
        most=context.settings().uploads.max_gigabytes,
        genres=genres.listing(db),
        as_typed=forms.as_typed,
    )


@guard.needs(Action.TITLE_CREATE)
def draft() -> tuple[str, int]:
    """Return the card of a film that was just chosen; a new film gets a draft."""
    filename = sources.clean_filename(request.form.get("filename", ""))
    size = request.form.get("bytes", 0, type=int)
    tus.require_takeable(filename, size)
    sources.check_size(size, filename, context.settings())
    slug = request.form.get("title", "")
    title = _editable(slug) if slug else _new(filename)
    card = render_template(
        "studio/upload_card.html",
        title=title,
        values=forms.as_typed(title),
        genres=genres.listing(context.db()),
        filename=filename,
        bytes=size,
        waiting=None,
    )
    return card, 201


@guard.needs(Action.TITLE_PUBLISH)
def wish(upload: str) -> Response:
    """Keep whether the title is published by itself when the film is ready."""
    wanted = bool(request.form.get("publish"))
    uploads.publish_when_ready(context.db(), context.actor(), upload, wanted)
    return jsonify(publish=wanted)


def _new(filename: str) -> Title:
    return titles.create(
        context.db(),
        context.actor(),
        sources.name_of(filename),
        protected=context.settings().protection.protect_new,
    )


def _editable(slug: str) -> Title:
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    return title


def _waiting(upload: Upload) -> Waiting:
    parts = tus.parts()
    title = titles.by_id(context.db(), upload.title_id) if upload.title_id else None
    return Waiting(
        upload,
        title,
        parts.received(upload.public_id),
        parts.metadata(upload.public_id).get("modified", ""),
    )
