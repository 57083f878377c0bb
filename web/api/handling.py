"""Many titles: the Studio's list, changes of many, the trash, reviews, own fields."""

from typing import Any

from appliance.catalog import (
    bulk,
    custom_fields,
    duplicates,
    reviewing,
    sieve,
    titles,
    trash,
)
from appliance.catalog.bulk import Outcome
from appliance.catalog.bulk_words import Wish
from appliance.catalog.custom_fields import Field
from appliance.catalog.reviewing import Decision
from appliance.catalog.sieve import Listed, Sieve
from appliance.catalog.titles import Title
from appliance.errors import InvalidInput
from appliance.media import publishing
from appliance.permissions import Action, check_title
from web import context, guard
from web.api import handling_schemas as schemas
from web.api.endpoint import STUDIO, Endpoint


def list_in_studio(query: dict[str, Any]) -> dict[str, Any]:
    """List titles as the Studio does: sifted, ordered, with their stages."""
    order, limit, offset = (query.pop(name) for name in ("order", "limit", "offset"))
    db, actor, by = context.db(), context.actor(), Sieve.read(query)
    found = sieve.listing(db, actor, by, order=order, limit=limit, offset=offset)
    return {
        "titles": [_listed(each) for each in found],
        "total": sieve.count(db, actor, by),
        "limit": limit,
        "offset": offset,
    }


def list_twins() -> dict[str, Any]:
    """List the films that stand in several titles, known by their hash."""
    return {"films": duplicates.groups(context.db(), context.actor())}


def remove_title(query: dict[str, Any], slug: str) -> None:
    """Put a title into the trash; with ``now`` remove it for good."""
    db, actor = context.db(), context.actor()
    if query["now"]:
        titles.remove(db, context.storage(), actor, slug)
    else:
        trash.discard(db, actor, slug)


def list_trash(query: dict[str, Any]) -> dict[str, Any]:
    """List what is in the trash, until when, and what removing it frees."""
    db, actor = context.db(), context.actor()
    found = trash.listing(db, actor, context.settings(), **query)
    return {"titles": found, "total": trash.count(db), "bytes": trash.freed(db)}


def restore_from_trash(slug: str) -> Title:
    """Take a title out of the trash."""
    return trash.restore(context.db(), context.actor(), slug)


def remove_from_trash(slug: str) -> None:
    """Remove a title that is in the trash for good."""
    trash.purge(context.db(), context.storage(), context.actor(), slug)


def list_reviews(slug: str) -> dict[str, Any]:
    """List the steps of the reviews of a title, the last first."""
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    return _reviews(title)


def decide_review(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """Ask for a review of a title, approve it, or send it back with a note."""
    db, actor, note = context.db(), context.actor(), body["note"]
    if body["decision"] is Decision.ASKED:
        return _reviews(reviewing.ask(db, actor, slug, note))
    if body["decision"] is Decision.APPROVED:
        settings = context.settings()
        return _reviews(reviewing.approve(db, settings, actor, slug, note))
    return _reviews(reviewing.send_back(db, actor, slug, note))


def list_changes() -> dict[str, Any]:
    """List the last changes of many titles."""
    return {"changes": bulk.listing(context.db(), context.settings())}


def preview_change(body: dict[str, Any]) -> Outcome:
    """Say what a change of many titles would do; nothing is kept."""
    chosen, wish = _meant(body)
    return bulk.preview(
        *(context.db(), context.settings(), context.actor()),
        *(chosen, wish, publishing.publish),
    )


def make_change(body: dict[str, Any]) -> Outcome:
    """Change many titles at once."""
    chosen, wish = _meant(body)
    return bulk.apply(
        *(context.db(), context.settings(), context.actor()),
        *(chosen, wish, publishing.publish),
        mark=body["mark"],
    )


def undo_change(change: str) -> Outcome:
    """Undo a change of many; titles that were changed since stay."""
    return bulk.undo(
        *(context.db(), context.settings(), context.actor()),
        *(change, publishing.publish),
    )


def list_fields() -> dict[str, Any]:
    """List the fields of this installation's own."""
    return {"fields": custom_fields.listing(context.db())}


def define_field(body: dict[str, Any]) -> Field:
    """Make a field."""
    label, kind = body.pop("label"), body.pop("kind")
    return custom_fields.define(
        context.db(), context.actor(), label, kind.value, **body
    )


def change_field(body: dict[str, Any], key: str) -> Field:
    """Change what a field is called, offers, or where it stands."""
    return custom_fields.change(context.db(), context.actor(), key, **body)


def remove_field(key: str) -> None:
    """Remove a field with what titles have in it."""
    custom_fields.remove(context.db(), context.actor(), key)


def show_values(slug: str) -> dict[str, Any]:
    """Show what a title has in the fields of this installation."""
    title = titles.by_slug(context.db(), context.actor(), slug)
    return {"values": title.custom, "revision": title.revision}


def fill_values(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """Fill in fields of a title; what is not named stays, null takes away."""
    title = custom_fields.fill(
        *(context.db(), context.actor(), slug, body["values"]),
        revision=body.get("revision"),
    )
    return {"values": title.custom, "revision": title.revision}


def _meant(body: dict[str, Any]) -> tuple[list[int], Wish]:
    """Return which titles are meant, and what is wished of them."""
    named, by = body.get("titles"), body.get("sieve")
    if (named is None) == (by is None):
        raise InvalidInput(
            "bulk.none",
            "Name titles, or say by a sieve which are meant: one of both.",
            {"field": "titles"},
        )
    chosen = bulk.chosen(
        *(context.db(), context.actor(), named or ()),
        None if by is None else Sieve.read(by),
    )
    return chosen, Wish.read(body["wish"])


def _reviews(title: Title) -> dict[str, Any]:
    return {
        "review": title.review,
        "stage": sieve.stage_of(context.db(), title.id),
        "steps": reviewing.of_title(context.db(), title.id),
    }


def _listed(each: Listed) -> dict[str, Any]:
    title = each.title
    return {
        "slug": title.slug,
        "name": title.name,
        "kind": title.kind,
        "stage": each.stage,
        "review": title.review,
        "external_id": title.external_id,
        "parent": each.parent_slug,
        "leaves": each.leaves,
        "twins": each.twins,
        "custom": title.custom,
        "revision": title.revision,
        "updated_at": title.updated_at,
    }


_REMOVE = guard.needs(Action.TITLE_REMOVE)
_DEFINE = guard.needs(Action.PEOPLE_EDIT)
_TRASH, _FIELD = "/trash/<slug>", "/fields/<key>"
_REVIEWS, _VALUES = "/titles/<slug>/reviews", "/titles/<slug>/fields"

ENDPOINTS = (
    Endpoint(
        *("GET", "/studio/titles", list_in_studio, STUDIO),
        *(schemas.ListQuery, schemas.List, 200, "query"),
    ),
    Endpoint("GET", "/studio/twins", list_twins, STUDIO, gives=schemas.Twins),
    Endpoint(
        *("DELETE", "/titles/<slug>", remove_title, _REMOVE),
        takes=schemas.RemoveQuery,
        status=204,
        place="query",
    ),
    Endpoint(
        *("GET", "/trash", list_trash, _REMOVE),
        *(schemas.TrashQuery, schemas.Trash, 200, "query"),
    ),
    Endpoint(
        *("POST", f"{_TRASH}/restore", restore_from_trash, _REMOVE),
        gives=schemas.Restored,
    ),
    Endpoint("DELETE", _TRASH, remove_from_trash, _REMOVE, status=204),
    Endpoint("GET", _REVIEWS, list_reviews, STUDIO, gives=schemas.Reviews),
    Endpoint(
        *("POST", _REVIEWS, decide_review, STUDIO),
        *(schemas.TitleReviewRequest, schemas.Reviews),
    ),
    Endpoint("GET", "/bulk", list_changes, STUDIO, gives=schemas.Changes),
    Endpoint(
        *("POST", "/bulk/preview", preview_change, STUDIO),
        *(schemas.BulkRequest, schemas.Outcome),
    ),
    Endpoint(
        *("POST", "/bulk", make_change, STUDIO),
        *(schemas.BulkRequest, schemas.Outcome),
    ),
    Endpoint(
        *("POST", "/bulk/<change>/undo", undo_change, STUDIO),
        gives=schemas.Outcome,
    ),
    Endpoint("GET", "/fields", list_fields, STUDIO, gives=schemas.Fields),
    Endpoint(
        *("POST", "/fields", define_field, _DEFINE),
        *(schemas.FieldRequest, schemas.Field, 201),
    ),
    Endpoint(
        *("PATCH", _FIELD, change_field, _DEFINE),
        *(schemas.FieldChange, schemas.Field),
    ),
    Endpoint("DELETE", _FIELD, remove_field, _DEFINE, status=204),
    Endpoint("GET", _VALUES, show_values, STUDIO, gives=schemas.Filled),
    Endpoint(
        *("PATCH", _VALUES, fill_values, STUDIO),
        *(schemas.FillRequest, schemas.Filled),
    ),
)
