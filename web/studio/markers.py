"""Markers in the Studio: chapters of a film, and what its players can skip."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.media import assets, markers, timecode
from appliance.media.assets import Asset
from appliance.media.markers import MarkerKind, Stretch
from appliance.permissions import Action, check_title
from jobs.listening import seasons
from web import context, guard

_OFFERED = 500

NAMES: Mapping[MarkerKind, str] = {
    MarkerKind.CHAPTER: "Chapter",
    MarkerKind.INTRO: "Intro",
    MarkerKind.RECAP: "Recap",
    MarkerKind.CREDITS: "Credits",
    MarkerKind.PREVIEW: "Preview of the next episode",
}
Answer = str | Response | tuple[str, int]


@guard.needs(Action.STUDIO_SEE)
def page(slug: str) -> Answer:
    return _page(*_film(slug))


@guard.needs(Action.STUDIO_SEE)
def add(slug: str) -> Answer:
    title, asset = _film(slug)
    try:
        markers.add(context.db(), context.actor(), asset.id, _typed())
    except InvalidInput as error:
        return _page(title, asset, problem=error.message), 400
    flash("Marked.", "ok")
    return _back(slug)


@guard.needs(Action.STUDIO_SEE)
def change(slug: str, marker: str) -> Answer:
    """Keep a marker as it is typed, or remove it, as the button says."""
    title, asset = _film(slug)
    known = {each.public_id for each in markers.of_asset(context.db(), asset.id)}
    if marker not in known:
        raise NotFound("marker.missing", "This marker is no longer there.")
    if request.form.get("act") == "remove":
        markers.remove(context.db(), context.actor(), marker)
        flash("Removed.", "ok")
        return _back(slug)
    try:
        markers.change(context.db(), context.actor(), marker, _typed())
    except InvalidInput as error:
        return _page(title, asset, problem=error.message, marker=marker), 400
    flash("Saved.", "ok")
    return _back(slug)


@guard.needs(Action.STUDIO_SEE)
def detect(slug: str) -> Answer:
    """Compare the film with those of other episodes."""
    title, asset = _film(slug)
    named = request.form.getlist("episodes")
    try:
        found = seasons.detect(
            context.db(), context.storage(), context.actor(), [slug, *named]
        )
    except (InvalidInput, NotFound, Conflict) as error:
        return _page(title, asset, problem=error.message), error.status
    count = sum(
        one.kind is not MarkerKind.CHAPTER for each in found for one in each.markers
    )
    flash(f"{len(found)} films were compared; they have {count} such markers.", "ok")
    return _back(slug)


def _typed() -> Stretch:
    kind = request.form.get("kind", "")
    if kind not in set(MarkerKind):
        raise InvalidInput("marker.kind", "Choose what it marks.")
    return Stretch(
        MarkerKind(kind),
        timecode.seconds(request.form.get("start", "")),
        timecode.seconds(request.form.get("end", "")),
        request.form.get("label", ""),
    )


def _film(slug: str) -> tuple[Title, Asset]:
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    asset = assets.playable(context.db(), title.id)
    if asset is None:
        raise NotFound(
            "marker.no-film", f"“{title.name}” has no film yet: wait until it is ready."
        )
    return title, asset


def _page(title: Title, asset: Asset, problem: str = "", marker: str = "") -> str:
    """Show the markers; what was refused stays as it was typed."""
    db = context.db()
    return render_template(
        "studio/markers.html",
        title=title,
        asset=asset,
        markers=markers.of_asset(db, asset.id),
        kinds=[(kind.value, name) for kind, name in NAMES.items()],
        clock=timecode.clock,
        others=_others(title),
        problem_found=problem,
        refused=marker,
        typed=request.form if problem else {},
    )


def _others(title: Title) -> list[Title]:
    """Return what it can be compared with: the other parts of the same whole."""
    db, actor = context.db(), context.actor()
    whole = titles.parent(db, title)
    if whole is None:
        found = titles.listing(db, actor, kind=title.kind, top=True, limit=_OFFERED)
    else:
        found = titles.children(db, actor, whole)
    return [e for e in found if e.kind is title.kind and e.slug != title.slug]


def _back(slug: str) -> Response:
    return redirect(url_for("studio.markers", slug=slug))
