"""How titles come in: tables, addresses, guesses by file names; and when they show."""

from typing import Any

from flask import Response, request

from appliance.access import availability, moments, timeline
from appliance.access.availability import Listed
from appliance.catalog import guessing, imports, sieve, titles
from appliance.catalog.sieve import Sieve
from appliance.catalog.tables import exporting
from appliance.catalog.tables.planning import Does, Plan, Row
from appliance.catalog.tables.running import Result
from appliance.errors import InvalidInput, NotFound, TooLarge
from appliance.media import fetches
from appliance.media.fetches import Fetch
from appliance.permissions import Action, check_title
from web import context, guard
from web.api import handling_schemas as schemas
from web.api.endpoint import STUDIO, Endpoint


def import_table(query: dict[str, Any]) -> dict[str, Any]:
    """Import titles from the table that is the body (CSV); or say what it would do."""
    data, db, actor = _body(), context.db(), context.actor()
    if query["dry_run"]:
        return _planned(imports.look(db, context.settings(), actor, data))
    results = imports.at_once(db, context.settings(), actor, data)
    counts = imports.counted(results)
    return {"dry_run": False, **counts, "rows": [_done(each) for each in results]}


def export_table(query: dict[str, Any]) -> Response:
    """Give titles as a table that can be imported again (CSV)."""
    for name in ("order", "limit", "offset"):
        query.pop(name)
    lines = exporting.export(context.db(), context.actor(), Sieve.read(query))
    response = Response("".join(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="titles.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def guess_names(body: dict[str, Any]) -> dict[str, Any]:
    """Say what file names seem to be; nothing is made."""
    found = guessing.guess(
        context.db(), context.actor(), body["filenames"], into=body["series"]
    )
    return {"guesses": found}


def list_fetches() -> dict[str, Any]:
    """List the films that are fetched from addresses, and those of lately."""
    return {"fetches": fetches.listing(context.db(), context.actor())}


def start_fetch(body: dict[str, Any]) -> Fetch:
    """Let a film be fetched from an address."""
    return fetches.start(
        *(context.db(), context.settings(), context.actor(), body["url"]),
        slug=body["title"],
        publish=body["publish"],
    )


def show_fetch(fetch: str) -> Fetch:
    """Say how far a film is."""
    return fetches.own(context.db(), context.actor(), fetch)


def cancel_fetch(fetch: str) -> None:
    """Stop fetching a film."""
    fetches.cancel(context.db(), context.actor(), fetch)


def list_windows(slug: str) -> dict[str, Any]:
    """List when, where and to whom a title is shown."""
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    return {
        "stage": sieve.stage_of(context.db(), title.id),
        "windows": availability.listing(context.db(), title.slug),
    }


def add_window(body: dict[str, Any], slug: str) -> Listed:
    """Show a title in a time, in countries, to a group, or up to a height."""
    return availability.add(context.db(), context.actor(), slug, **_window(body))


def replace_window(body: dict[str, Any], slug: str, window: str) -> Listed:
    """Put a window in the place of another; it gets an id of its own."""
    _require(slug, window)
    db, actor = context.db(), context.actor()
    return availability.replace(db, actor, window, **_window(body))


def remove_window(slug: str, window: str) -> None:
    """Remove a window."""
    _require(slug, window)
    availability.remove(context.db(), context.actor(), window)


def show_timeline(query: dict[str, Any]) -> dict[str, Any]:
    """List the titles that have a window between two moments."""
    begins, ends = moments.span(query["starts_at"], query["ends_at"])
    if begins is None or ends is None:
        raise InvalidInput("time.open", "Say from when and until when.")
    db, actor = context.db(), context.actor()
    page = {"limit": query["limit"], "offset": query["offset"]}
    return {
        "titles": timeline.lines(db, actor, begins, ends, **page),
        "total": timeline.count(db, actor, begins, ends),
    }


def _body() -> bytes:
    """Return the table of the request. Errors: ``TooLarge``."""
    most = context.settings().studio.import_megabytes * 1_000_000
    request.max_content_length = most + 1
    data = request.stream.read(most + 1)
    if len(data) > most:
        raise TooLarge(
            "table.too-large",
            f"The table is larger than {most // 1_000_000} MB: split it.",
        )
    return data


def _window(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"group": body.get("group") or ""}


def _require(slug: str, window: str) -> None:
    if availability.by_id(context.db(), window).title != slug:
        raise NotFound("window.missing", f"“{slug}” has no window “{window}”.")


def _planned(plan: Plan) -> dict[str, Any]:
    counts = {word: plan.count(does) for does, word in _WORDS.items()}
    return {"dry_run": True, **counts, "rows": [_row(each) for each in plan.rows]}


_WORDS = {
    Does.CREATE: "created",
    Does.CHANGE: "changed",
    Does.SAME: "same",
    Does.REFUSE: "refused",
}


def _row(row: Row) -> dict[str, Any]:
    return {
        "line": row.line,
        "does": row.does,
        "key": row.key,
        "name": row.name,
        "slug": row.title,
        "cells": row.cells,
        "errors": [{"column": at, "message": said} for at, said in row.errors],
    }


def _done(each: Result) -> dict[str, Any]:
    problems = [{"column": "", "message": each.problem}] if each.problem else []
    return {
        "line": each.line,
        "does": each.does,
        "key": each.key,
        "name": each.name,
        "slug": each.slug,
        "cells": [],
        "errors": problems,
    }


_IMPORT = guard.needs(Action.TITLE_IMPORT)
_CREATE = guard.needs(Action.TITLE_CREATE)
_EDIT = guard.needs(Action.TITLE_EDIT)
_WINDOWS = "/titles/<slug>/windows"
_WINDOW = f"{_WINDOWS}/<window>"

ENDPOINTS = (
    Endpoint(
        *("POST", "/studio/import", import_table, _IMPORT),
        *(schemas.ImportQuery, schemas.Imported, 200, "query"),
    ),
    Endpoint(
        *("GET", "/studio/export.csv", export_table, _IMPORT),
        takes=schemas.ListQuery,
        place="query",
    ),
    Endpoint(
        *("POST", "/studio/guesses", guess_names, _CREATE),
        *(schemas.GuessRequest, schemas.Guesses),
    ),
    Endpoint("GET", "/fetches", list_fetches, _IMPORT, gives=schemas.Fetches),
    Endpoint(
        *("POST", "/fetches", start_fetch, _IMPORT),
        *(schemas.FetchRequest, schemas.Fetch, 202),
    ),
    Endpoint("GET", "/fetches/<fetch>", show_fetch, _IMPORT, gives=schemas.Fetch),
    Endpoint("DELETE", "/fetches/<fetch>", cancel_fetch, _IMPORT, status=204),
    Endpoint("GET", _WINDOWS, list_windows, STUDIO, gives=schemas.Windows),
    Endpoint(
        *("POST", _WINDOWS, add_window, _EDIT),
        *(schemas.WindowRequest, schemas.WindowOfTitle, 201),
    ),
    Endpoint(
        *("PUT", _WINDOW, replace_window, _EDIT),
        *(schemas.WindowRequest, schemas.WindowOfTitle),
    ),
    Endpoint("DELETE", _WINDOW, remove_window, _EDIT, status=204),
    Endpoint(
        *("GET", "/studio/timeline", show_timeline, STUDIO),
        *(schemas.TimelineQuery, schemas.Timeline, 200, "query"),
    ),
)
