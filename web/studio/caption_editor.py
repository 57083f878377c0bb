"""The editor of captions: a page with the film beside its cues, and what it saves."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.captions import editing, lint
from appliance.captions.description import Description
from appliance.catalog import titles
from appliance.errors import Conflict, InvalidInput
from appliance.media import captions as core
from appliance.media.caption_tracks import Held
from appliance.media.captions import Opened
from appliance.permissions import Action
from web import context, devices, guard
from web.studio import captions as files

KEYS = (
    (("Ctrl", "S"), "Save"),
    (("Ctrl", "Enter"), "Play from the cue"),
    (("Ctrl", "Space"), "Play or pause"),
    (("Alt", "↑"), "The cue before"),
    (("Alt", "↓"), "The next cue"),
    (("Alt", "I"), "The cue begins here"),
    (("Alt", "O"), "The cue ends here"),
    (("Alt", "P"), "Split it where the cursor is"),
    (("Alt", "J"), "Join it with the next"),
    (("Alt", "N"), "A new cue here"),
    (("Alt", "L"), "The next one to look at"),
    (("Alt", "Z"), "Undo splitting, joining, shifting or removing"),
)
Answer = str | Response | tuple[str, int]


@guard.needs(Action.STUDIO_SEE)
def page(slug: str, captions: str) -> Answer:
    return _page(slug, captions)


@guard.needs(Action.STUDIO_SEE)
def cues(slug: str, captions: str) -> Response:
    """Send what the editor edits."""
    return jsonify(_document(files.opened(slug, captions)))


@guard.needs(Action.STUDIO_SEE)
def save(slug: str, captions: str) -> Response:
    """Keep what was written over the version that was seen."""
    body = _body()
    found = files.opened(slug, captions)
    edited = editing.captions(body.get("cues"), found.captions.regions)
    core.edit(
        *(context.db(), files.stores(), context.actor(), slug, captions, edited),
        version=str(body.get("version", "")) or "-",
    )
    return jsonify(_document(files.opened(slug, captions)))


@guard.needs(Action.STUDIO_SEE)
def check(slug: str, captions: str) -> Response:
    """Say what is hard to read of cues that are not saved yet."""
    found = files.opened(slug, captions)
    written = editing.captions(_body().get("cues"), found.captions.regions)
    return jsonify(findings=_findings(Opened(found.held, written, found.duration)))


@guard.needs(Action.STUDIO_SEE)
def shift(slug: str, captions: str) -> Answer:
    """Shift or stretch all times, as a form asks that needs no script."""
    try:
        milliseconds, factor = files.shift_of_form()
        core.shift(
            *(context.db(), files.stores(), context.actor(), slug, captions),
            *(milliseconds, factor),
            version=_version(),
        )
    except (InvalidInput, Conflict) as error:
        return _page(slug, captions, error), error.status
    flash("All times are shifted.", "ok")
    return _back(slug, captions)


@guard.needs(Action.STUDIO_SEE)
def describe(slug: str, captions: str) -> Answer:
    form = request.form
    try:
        described = Description.of(
            form.get("language", ""), form.get("name", ""), form.get("role", "")
        )
        core.describe(
            *(context.db(), files.stores(), context.actor(), slug, captions, described),
            version=_version(),
        )
    except (InvalidInput, Conflict) as error:
        return _page(slug, captions, error), error.status
    flash("Saved.", "ok")
    return _back(slug, captions)


@guard.needs(Action.STUDIO_SEE)
def replace(slug: str, captions: str) -> Answer:
    """Put an uploaded file in place of the captions."""
    try:
        data, name = files.uploaded()
        added = core.replace_text(
            *(context.db(), files.stores(), context.actor(), slug, captions, data),
            version=_version(),
            source_name=name,
            encoding=request.form.get("encoding", "").strip(),
        )
    except (InvalidInput, Conflict) as error:
        return _page(slug, captions, error), error.status
    files.tell(added)
    return _back(slug, captions)


@guard.needs(Action.STUDIO_SEE)
def review(slug: str, captions: str) -> Answer:
    try:
        held = core.review(
            *(context.db(), files.stores(), context.actor(), slug, captions),
            version=_version(),
        )
    except Conflict as error:
        return _page(slug, captions, error), error.status
    flash(f"Reviewed: viewers see them as “{held.label}” now.", "ok")
    return _back(slug, captions)


def _page(
    slug: str, captions: str, error: InvalidInput | Conflict | None = None
) -> str:
    found = files.opened(slug, captions)
    return render_template(
        "studio/caption_editor.html",
        title=titles.by_slug(context.db(), context.actor(), slug),
        held=found.held,
        roles=files.ROLES,
        keys=KEYS,
        error=error,
        typed=_typed(found.held, error),
        device=devices.name(request.user_agent.string),
    )


def _typed(held: Held, error: object) -> Mapping[str, Any]:
    shown = {"language": held.language, "name": held.name, "role": held.role.value}
    return shown | (request.form.to_dict() if error else {})


def _document(found: Opened) -> dict[str, Any]:
    return {
        "held": asdict(found.held),
        "version": found.held.version,
        "duration": found.duration,
        "width": lint.width(found.held.language),
        "cues": editing.rows(found.captions),
        "findings": _findings(found),
    }


def _findings(found: Opened) -> list[dict[str, Any]]:
    return [asdict(each) for each in core.checked(found)]


def _body() -> Mapping[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise InvalidInput("captions.rows", "The editor sends its cues as JSON.")
    return body


def _version() -> str:
    return request.form.get("version", "")


def _back(slug: str, captions: str) -> Response:
    return redirect(url_for("studio.edit_captions", slug=slug, captions=captions))
