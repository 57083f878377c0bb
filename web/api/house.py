"""Brand, announcements and maintenance: what the house says and shows."""

from dataclasses import asdict
from typing import Any

from appliance.operations import announcements, brand, maintenance
from appliance.permissions import Action
from web import context, guard
from web.api import house_schemas
from web.api.endpoint import Endpoint


def show_brand() -> dict[str, Any]:
    """Show how the portal looks, and its texts."""
    return asdict(brand.read(context.db(), context.settings()))


def change_brand(body: dict[str, Any]) -> dict[str, Any]:
    """Change name, colour or texts; what is not named stays."""
    changed = brand.change(context.db(), context.settings(), context.actor(), **body)
    return asdict(changed)


def list_announcements() -> dict[str, Any]:
    """List what is, was and will be announced, the newest first."""
    found = announcements.listing(context.db(), context.actor())
    return {"announcements": [asdict(each) for each in found]}


def add_announcement(body: dict[str, Any]) -> dict[str, Any]:
    """Announce something."""
    return asdict(announcements.add(context.db(), context.actor(), **body))


def remove_announcement(announcement: str) -> None:
    """Take an announcement back."""
    announcements.remove(context.db(), context.actor(), announcement)


def show_maintenance() -> dict[str, Any]:
    """Say whether the portal is closed, or will be."""
    db = context.db()
    planned = maintenance.read(db)
    return asdict(planned) | {"closed": planned.closed(db.now())}


def close_portal(body: dict[str, Any]) -> dict[str, Any]:
    """Close the portal, at once or later."""
    maintenance.close(context.db(), context.actor(), **body)
    return show_maintenance()


def open_portal() -> None:
    """Open the portal, or drop the plan to close it."""
    maintenance.open_again(context.db(), context.actor())


_BRAND, _TELL = (
    guard.needs(Action.PORTAL_BRAND),
    guard.needs(Action.PORTAL_ANNOUNCE),
)

ENDPOINTS = (
    Endpoint("GET", "/brand", show_brand, _BRAND, gives=house_schemas.Brand),
    Endpoint(
        "PATCH",
        "/brand",
        change_brand,
        _BRAND,
        takes=house_schemas.BrandChange,
        gives=house_schemas.Brand,
    ),
    Endpoint(
        "GET",
        "/announcements",
        list_announcements,
        _TELL,
        gives=house_schemas.Announcements,
    ),
    Endpoint(
        "POST",
        "/announcements",
        add_announcement,
        _TELL,
        takes=house_schemas.AnnouncementRequest,
        gives=house_schemas.Announcement,
        status=201,
    ),
    Endpoint(
        "DELETE",
        "/announcements/<announcement>",
        remove_announcement,
        _TELL,
        status=204,
    ),
    Endpoint(
        "GET", "/maintenance", show_maintenance, _TELL, gives=house_schemas.Maintenance
    ),
    Endpoint(
        "PUT",
        "/maintenance",
        close_portal,
        _TELL,
        takes=house_schemas.MaintenanceRequest,
        gives=house_schemas.Maintenance,
    ),
    Endpoint("DELETE", "/maintenance", open_portal, _TELL, status=204),
)
