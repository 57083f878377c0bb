"""The upload page: a draft title for each film, filled in while the film arrives."""

from dataclasses import dataclass

from flask import Response, jsonify, render_template, request
from flask_babel import lazy_gettext as _l

from appliance.catalog import duplicates, guessing, libraries, titles
from appliance.catalog.kinds import CONTAINERS, PARTS
from appliance.catalog.titles import Title
from appliance.catalog.topics import genres
from appliance.errors import MatineeError
from appliance.media import assets, fetches, sources, uploads
from appliance.media.uploads import Upload
from appliance.permissions import Action, check_title
from web import context, guard
from web.studio import arrivals, drafts, forms, tus
from web.studio.parts import BASE

_GUESSED = (
    ("film", _l("Film")),
    ("episode", _l("Episode")),
    ("trailer", _l("Trailer")),
    ("extra", _l("Extra")),
)


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
    return shown(request.args.get("title", ""))


def shown(slug: str, error: MatineeError | None = None, url: str = "") -> str:
    """Return the page; ``error`` is about an address ``url`` that was typed there."""
    db, parts = context.db(), tus.parts()
    arrivals.tidy(db, context.settings(), parts)
    mine = uploads.of_account(db, context.actor().account_id or 0)
    into = _editable(slug) if slug else None
    return render_template(
        "studio/upload.html",
        into=into,
        replaces=assets.playable(db, into.id) if into else None,
        kept_days=context.settings().encode.keep_versions_days,
        waiting=[_waiting(upload) for upload in mine],
        endpoint=BASE,
        chunk=parts.max_chunk,
        most=context.settings().uploads.max_gigabytes,
        genres=genres.listing(db),
        libraries=libraries.listing(db),
        as_typed=forms.as_typed,
        container=into is not None and into.kind in CONTAINERS,
        whole=into is not None and into.kind not in PARTS,
        may_fetch=context.settings().uploads.from_urls
        and context.actor().may(Action.TITLE_IMPORT),
        fetches=fetches.listing(db, context.actor()),
        fetch_error=error,
        typed_url=url,
    )


@guard.needs(Action.TITLE_CREATE)
def draft() -> tuple[str, int]:
    """Return the card of a film that was just chosen; a new film gets a draft."""
    filename = sources.clean_filename(request.form.get("filename", ""))
    size = request.form.get("bytes", 0, type=int)
    tus.require_takeable(filename, size)
    sources.check_size(size, filename, context.settings())
    db, actor = context.db(), context.actor()
    title = drafts.title_for(
        *(db, context.settings(), actor, filename), request.form.to_dict()
    )
    card = render_template(
        "studio/upload_card.html",
        title=title,
        values=forms.as_typed(title),
        genres=genres.listing(context.db()),
        libraries=libraries.listing(context.db()),
        filename=filename,
        bytes=size,
        waiting=None,
        twins=[
            each
            for each in duplicates.likely(db, actor, filename, size)
            if each.slug != title.slug
        ],
    )
    return card, 201


@guard.needs(Action.TITLE_CREATE)
def guess() -> Response:
    """Say what file names seem to be, as a table to be looked at and mended."""
    db, actor = context.db(), context.actor()
    slug = request.form.get("title", "")
    into = _editable(slug) if slug else None
    whole = into if into is not None and into.kind in CONTAINERS else None
    names = [sources.clean_filename(each) for each in request.form.getlist("filename")]
    found = guessing.guess(db, actor, names, into=whole.name if whole else "")
    table = render_template(
        "studio/upload_guesses.html", guesses=found, into=whole, kinds=_GUESSED
    )
    return jsonify(ask=guessing.shared(found), html=table)


@guard.needs(Action.TITLE_PUBLISH)
def wish(upload: str) -> Response:
    """Keep whether the title is published by itself when the film is ready."""
    wanted = bool(request.form.get("publish"))
    uploads.publish_when_ready(context.db(), context.actor(), upload, wanted)
    return jsonify(publish=wanted)


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
