"""Captions in the Studio: the list of a film's, files brought and taken away."""

from contextlib import closing

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.captions import times, writing
from appliance.captions.cues import MOST_BYTES
from appliance.captions.description import Description, Role
from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.errors import Conflict, InvalidInput, MatineeError, PreconditionFailed
from appliance.media import assets, captions, jobs
from appliance.media.caption_tracks import Held
from appliance.media.captions import Added
from appliance.media.jobs import JobKind
from appliance.objects import Stores
from appliance.permissions import Action, check_title
from jobs.making import speech
from jobs.tools import whisper
from web import context, guard

_MOST_UPLOADED = 4 * MOST_BYTES
_UPLOADING = frozenset({"studio.add_captions", "studio.replace_captions"})
_SHOWN_REMARKS = 5

ROLES = (
    (Role.SUBTITLE.value, "Subtitles: what is said"),
    (Role.CAPTION.value, "Captions: also what is heard (SDH)"),
    (Role.FORCED.value, "Forced: only what nobody would understand"),
)
Answer = str | BaseResponse | tuple[str, int]


def allow_files(endpoint: str | None, _values: object) -> None:
    """Let a file be larger than other forms, so that it is refused in a sentence."""
    if endpoint in _UPLOADING:
        request.max_content_length = _MOST_UPLOADED


@guard.needs(Action.STUDIO_SEE)
def page(slug: str) -> Answer:
    return _page(slug)


@guard.needs(Action.STUDIO_SEE)
def add(slug: str) -> Answer:
    form = request.form
    try:
        data, name = uploaded()
        described = Description.of(
            form.get("language", ""), form.get("name", ""), form.get("role", "")
        )
        added = captions.add(
            *(context.db(), stores(), context.actor(), slug, data, described),
            source_name=name,
            encoding=form.get("encoding", "").strip(),
        )
    except (InvalidInput, Conflict) as error:
        return _page(slug, error), error.status
    tell(added)
    return redirect(url_for("studio.edit_captions", slug=slug, captions=added.held.id))


@guard.needs(Action.STUDIO_SEE)
def make(slug: str) -> Answer:
    """Let a machine listen to the film."""
    language = request.form.get("spoken", "").strip()
    try:
        job = speech.start(
            context.db(), context.settings(), context.actor(), slug, language
        )
    except (InvalidInput, Conflict, PreconditionFailed) as error:
        return _page(slug, error), error.status
    flash("A machine listens to the film: its captions come by themselves.", "ok")
    return redirect(url_for("studio.job", job=job.public_id))


@guard.needs(Action.STUDIO_SEE)
def export(slug: str, captions: str, format: str) -> Response:
    """Send captions as a file."""
    found = opened(slug, captions)
    write = writing.subrip if format == "srt" else writing.webvtt
    mimetype = "application/x-subrip" if format == "srt" else "text/vtt"
    response = Response(write(found.captions), mimetype=mimetype)
    response.headers.set(
        "Content-Disposition",
        "attachment",
        filename=f"{slug}.{found.held.language}.{format}",
    )
    return response


@guard.needs(Action.STUDIO_SEE)
def confirm_removal(slug: str, captions: str) -> str:
    found = opened(slug, captions)
    return render_template(
        "studio/remove_captions.html", title=_title(slug), held=found.held
    )


@guard.needs(Action.STUDIO_SEE)
def remove(slug: str, captions: str) -> BaseResponse:
    held = _removed(slug, captions)
    flash(f"The captions “{held.label}” are removed.", "ok")
    return redirect(url_for("studio.captions", slug=slug))


def stores() -> Stores:
    return Stores(context.storage(), context.settings())


def opened(slug: str, public_id: str) -> captions.Opened:
    return captions.opened(context.db(), stores(), context.actor(), slug, public_id)


def uploaded() -> tuple[bytes, str]:
    """Return the content and the name of the file. Errors: ``InvalidInput``."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidInput("captions.none", "Choose a file first.", {"field": "file"})
    with closing(file):
        return file.stream.read(MOST_BYTES + 1), file.filename


def tell(added: Added) -> None:
    """Say what became of a file, with the first of what was left out."""
    flash(f"{added.held.label}: {added.held.cues} cues.", "ok")
    for remark in added.remarks[:_SHOWN_REMARKS]:
        flash(f"Line {remark.line}: {remark.sentence}", "warn")
    if len(added.remarks) > _SHOWN_REMARKS:
        more = len(added.remarks) - _SHOWN_REMARKS
        flash(f"And {more} more like these.", "warn")


def shift_of_form() -> tuple[int, float]:
    """Return what a form shifts by, in milliseconds, and stretches by."""
    try:
        seconds = float(request.form.get("seconds", "").replace(",", ".") or 0)
    except ValueError:
        seconds = float("nan")
    if not abs(seconds) < 1_000_000:
        raise InvalidInput(
            "captions.shift", "Shift by seconds, such as 1.5 or -0.3.", {"field": "by"}
        )
    return round(seconds * 1000), times.factor(request.form.get("factor") or "1")


def _removed(slug: str, public_id: str) -> Held:
    version = request.form.get("version", "")
    return captions.remove(
        context.db(), context.actor(), slug, public_id, version=version
    )


def _title(slug: str) -> Title:
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    return title


def _page(slug: str, error: MatineeError | None = None) -> str:
    db, title = context.db(), _title(slug)
    film = assets.playable(db, title.id)
    return render_template(
        "studio/captions.html",
        title=title,
        film=film,
        found=captions.listing(db, context.actor(), slug),
        roles=ROLES,
        error=error,
        typed=request.form if error else {"language": title.language},
        hindrance=whisper.hindrance(context.settings().speech),
        listening=film and jobs.making(db, film.id, {JobKind.CAPTIONS}),
    )
