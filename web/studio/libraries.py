"""Libraries in the Studio: titles that are encoded alike."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import media_checks
from appliance.catalog import libraries, library_policy
from appliance.catalog.libraries import Library
from appliance.errors import Conflict, InvalidInput
from appliance.permissions import Action
from web import context, guard

Answer = str | Response | tuple[str, int]
_Refusal = InvalidInput | Conflict

_CODECS = (
    ("h264", "H.264 alone"),
    ("h264,av1", "H.264 and AV1"),
    ("h264,hevc", "H.264 and HEVC"),
    ("h264,hevc,av1", "H.264, HEVC and AV1"),
)
_KEEP = (
    ("keep", "Kept"),
    ("verified", "Removed when the film has passed its checks"),
    ("7", "Removed after 7 days"),
    ("30", "Removed after 30 days"),
    ("90", "Removed after 90 days"),
    ("365", "Removed after a year"),
)
_YES = (("yes", "Yes"), ("no", "No"))


@guard.needs(Action.LIBRARY_MANAGE)
def index() -> Answer:
    return _index()


@guard.needs(Action.LIBRARY_MANAGE)
def add() -> Answer:
    try:
        made = libraries.add(
            context.db(),
            context.actor(),
            context.settings().encode,
            request.form.get("name", ""),
            {},
        )
    except (InvalidInput, Conflict) as error:
        return _index(error), error.status
    flash(f"“{made.name}” is made. Say here what is to differ from the settings.", "ok")
    return redirect(url_for("studio.library", library=made.slug))


@guard.needs(Action.LIBRARY_MANAGE)
def show(library: str) -> Answer:
    return _page(libraries.by_slug(context.db(), library))


@guard.needs(Action.LIBRARY_MANAGE)
def save(library: str) -> Answer:
    typed = {
        name: request.form[name]
        for name in library_policy.FIELDS
        if name in request.form
    }
    try:
        changed = libraries.change(
            context.db(),
            context.actor(),
            context.settings().encode,
            library,
            typed,
            name=request.form.get("name"),
        )
    except (InvalidInput, Conflict) as error:
        found = libraries.by_slug(context.db(), library)
        return _page(found, error), error.status
    flash("Saved. It counts for what is encoded from now on.", "ok")
    return redirect(url_for("studio.library", library=changed.slug))


@guard.needs(Action.LIBRARY_MANAGE)
def confirm_removal(library: str) -> Answer:
    found = libraries.by_slug(context.db(), library)
    return render_template("studio/remove_library.html", library=found)


@guard.needs(Action.LIBRARY_MANAGE)
def remove(library: str) -> Answer:
    removed = libraries.remove(context.db(), context.actor(), library)
    flash(f"The library “{removed.name}” is removed; its titles stay.", "ok")
    return redirect(url_for("studio.libraries"))


def _index(error: _Refusal | None = None) -> str:
    return render_template(
        "studio/libraries.html",
        libraries=libraries.listing(context.db()),
        typed=request.form.get("name", ""),
        error=error,
        said=said,
    )


def _page(found: Library, error: _Refusal | None = None) -> str:
    encode = context.settings().encode
    own: Mapping[str, object] = request.form if error else found.policy
    house = {name: getattr(encode, name) for name in library_policy.FIELDS}
    return render_template(
        "studio/library.html",
        library=found,
        name=request.form.get("name", "") if error else found.name,
        own={name: _typed(value) for name, value in own.items()},
        house={name: _typed(value) for name, value in house.items()},
        options=_options(str(own.get("keep_source", "")), str(own.get("codecs", ""))),
        house_said={name: said(name, value) for name, value in house.items()},
        wrong=error.details.get("field") if error else "",
        error=error,
    )


def said(name: str, value: object) -> str:
    """Say a field of a policy in the words of the page."""
    words = dict(_options(str(value), str(value)).get(name, ()))
    return words.get(_typed(value), _typed(value))


def _typed(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _options(keep: str, codecs: str) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return what can be chosen, and what was written elsewhere."""
    days = media_checks.source_days(keep)
    kept, named = dict(_KEEP), dict(_CODECS)
    if days is not None:
        kept.setdefault(keep, f"Removed after {days} days")
    if codecs:
        named.setdefault(codecs, codecs)
    heights = tuple((str(each), f"{each}p") for each in media_checks.HEIGHTS)
    return {
        "codecs": tuple(named.items()),
        "max_height": heights,
        "per_title": _YES,
        "quick_first": _YES,
        "keep_source": tuple(kept.items()),
        "preset": tuple((each, each) for each in media_checks.PRESETS),
        "normalise": _YES,
        "surround": _YES,
    }
