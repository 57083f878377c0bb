"""Rows of the home page and collections: what the Studio arranges."""

from typing import Any

from appliance.catalog import collections
from appliance.catalog.collections import Collection
from appliance.discovery import arranging, home_rows
from appliance.discovery.home_rows import HomeRow
from appliance.permissions import Action
from web import context, guard
from web.api import arranging_schemas as schemas
from web.api.endpoint import Endpoint

_ARRANGE = guard.needs(Action.HOME_ARRANGE)
_ROW, _COLLECTION = "/rows/<row>", "/collections/<slug>"


def list_rows() -> dict[str, Any]:
    """List the rows of the home page in their order, also those nobody sees now."""
    return {"rows": [_row(each) for each in home_rows.listing(context.db())]}


def show_row(row: str) -> dict[str, Any]:
    """Show one row."""
    return _row(home_rows.by_public_id(context.db(), row))


def add_row(given: dict[str, Any]) -> dict[str, Any]:
    """Make a row: of chosen titles, by a rule, or of a collection."""
    kind, heading = given.pop("kind"), given.pop("heading")
    made = arranging.add(context.db(), context.actor(), kind, heading, **given)
    return _row(made)


def change_row(given: dict[str, Any], row: str) -> dict[str, Any]:
    """Change a row; with ``revision`` only when nobody else has since."""
    return _row(arranging.change(context.db(), context.actor(), row, **given))


def move_row(given: dict[str, Any], row: str) -> dict[str, Any]:
    """Move a row up (negative) or down by so many places."""
    return _row(arranging.move(context.db(), context.actor(), row, given["by"]))


def remove_row(row: str) -> None:
    """Remove a row that somebody made."""
    arranging.remove(context.db(), context.actor(), row)


def list_collections() -> dict[str, Any]:
    """List every collection, by name."""
    found = collections.listing(context.db())
    return {"collections": [_collection(each) for each in found]}


def show_collection(slug: str) -> dict[str, Any]:
    """Show a collection with the titles in it."""
    return _whole(collections.by_slug(context.db(), slug))


def add_collection(given: dict[str, Any]) -> dict[str, Any]:
    """Make a collection."""
    made = collections.add(
        context.db(),
        context.actor(),
        given["name"],
        synopsis=given.get("synopsis", ""),
        members=given.get("titles", ()),
    )
    return _whole(made)


def change_collection(given: dict[str, Any], slug: str) -> dict[str, Any]:
    """Change a collection; with ``seen`` only when nobody else has since."""
    changed = collections.change(
        context.db(),
        context.actor(),
        slug,
        name=given.get("name"),
        synopsis=given.get("synopsis"),
        members=given.get("titles"),
        seen=given.get("seen"),
    )
    return _whole(changed)


def remove_collection(slug: str) -> None:
    """Remove a collection; its titles stay."""
    collections.remove(context.db(), context.actor(), slug)


def _row(found: HomeRow) -> dict[str, Any]:
    return {
        "id": found.public_id,
        "kind": found.kind,
        "heading": found.heading,
        "translations": dict(found.translations),
        "rule": dict(found.rule),
        "titles": list(found.titles),
        "collection": found.collection,
        "enabled": found.enabled,
        "audience": found.audience,
        "group": found.group,
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
        "revision": found.revision,
    }


def _collection(found: Collection) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "name": found.name,
        "synopsis": found.synopsis,
        "count": found.titles,
        "updated_at": found.updated_at,
    }


def _whole(found: Collection) -> dict[str, Any]:
    members = collections.members(context.db(), found.id)
    return _collection(found) | {"titles": [slug for slug, _ in members]}


ENDPOINTS = (
    Endpoint("GET", "/rows", list_rows, _ARRANGE, gives=schemas.Rows),
    Endpoint("POST", "/rows", add_row, _ARRANGE, schemas.NewRow, schemas.Row, 201),
    Endpoint("GET", _ROW, show_row, _ARRANGE, gives=schemas.Row),
    Endpoint("PATCH", _ROW, change_row, _ARRANGE, schemas.RowChange, schemas.Row),
    Endpoint("POST", f"{_ROW}/move", move_row, _ARRANGE, schemas.Move, schemas.Row),
    Endpoint("DELETE", _ROW, remove_row, _ARRANGE, status=204),
    Endpoint(
        "GET", "/collections", list_collections, _ARRANGE, gives=schemas.Collections
    ),
    Endpoint(
        *("POST", "/collections", add_collection, _ARRANGE),
        *(schemas.NewCollection, schemas.Collection, 201),
    ),
    Endpoint("GET", _COLLECTION, show_collection, _ARRANGE, gives=schemas.Collection),
    Endpoint(
        *("PATCH", _COLLECTION, change_collection, _ARRANGE),
        *(schemas.CollectionChange, schemas.Collection),
    ),
    Endpoint("DELETE", _COLLECTION, remove_collection, _ARRANGE, status=204),
)
