"""The film of a title in the Studio: what it lacks, and what it was before."""

from contextlib import suppress
from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.errors import Conflict
from appliance.media import assets, jobs, versions
from appliance.media.assets import Asset
from appliance.media.versions import Version
from appliance.permissions import Action, check_title
from jobs.making import supplement
from jobs.making.supplement import Request
from web import context, guard

_MOST_VERSIONS = 10


@dataclass(frozen=True, slots=True)
class Panel:
    """``lacking`` are names of what its library wants and it has not."""

    lacking: tuple[str, ...]
    versions: tuple[Version, ...]


def of_asset(asset: Asset) -> Panel:
    """Return what the page of a title shows of its film."""
    db = context.db()
    lacking: list[str] = []
    if not asset.source_removed_at and jobs.making(db, asset.id) is None:
        # Of a film that an older Matinee made it may not be known what it lacks.
        with suppress(Conflict):
            lacking = _lacking(asset)
    found = versions.listing(db, asset)
    # One that is served alone is no choice.
    shown = found[:_MOST_VERSIONS] if len(found) > 1 else []
    return Panel(tuple(lacking), tuple(shown))


@guard.needs(Action.STUDIO_SEE)
def confirm_supplement(slug: str) -> str:
    title, asset = _editable(slug)
    return render_template(
        "studio/supplement.html", title=title, lacking=_lacking(asset)
    )


@guard.needs(Action.STUDIO_SEE)
def start_supplement(slug: str) -> Response:
    supplement.start(
        context.db(),
        context.storage(),
        context.settings(),
        context.actor(),
        slug,
        Request(),
    )
    return redirect(url_for("studio.title", slug=slug))


@guard.needs(Action.STUDIO_SEE)
def confirm_restoring(slug: str, number: int) -> str:
    title, asset = _editable(slug)
    version = versions.by_number(context.db(), asset, number)
    return render_template("studio/restore.html", title=title, version=version)


@guard.needs(Action.STUDIO_SEE)
def restore(slug: str, number: int) -> Response:
    _, asset = _editable(slug)
    versions.restore(context.db(), context.settings(), context.actor(), asset, number)
    flash(f"Version {number} is served again.", "ok")
    return redirect(url_for("studio.title", slug=slug))


def _lacking(asset: Asset) -> list[str]:
    return supplement.names(
        supplement.missing(context.db(), context.settings(), asset, Request())
    )


def _editable(slug: str) -> tuple[Title, Asset]:
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    asset = assets.playable(context.db(), title.id)
    if asset is None:
        raise Conflict(
            "title.no-film", f"“{title.name}” has no film that can be played yet."
        )
    return title, asset
