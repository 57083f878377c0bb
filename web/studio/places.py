"""The places of the Studio: what its menu offers to whom, in groups."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _

from appliance.permissions import Action, Actor
from web import context

_STUDIO = "studio."


@dataclass(frozen=True, slots=True)
class Place:
    """A link of the menu; ``here`` says that this page or one below it is open."""

    address: str
    words: str
    drawing: str
    here: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A heading with its places."""

    heading: str
    places: tuple[Place, ...]


# The endpoint, its words, its drawing, and what one must be allowed to see it.
_GROUPS = (
    (
        _("Catalogue"),
        (
            ("titles", _("Titles"), "library", Action.STUDIO_SEE),
            ("uploading", _("Upload"), "upload", Action.TITLE_CREATE),
            ("imports", _("Import"), "table", Action.TITLE_IMPORT),
            ("timeline", _("Availability"), "calendar-range", Action.STUDIO_SEE),
            ("people", _("People"), "contact", Action.PEOPLE_EDIT),
            ("fields", _("Own fields"), "list-plus", Action.PEOPLE_EDIT),
            ("trash", _("Trash"), "trash-2", Action.TITLE_REMOVE),
        ),
    ),
    (
        _("Portal"),
        (
            ("rows", _("Home page"), "rows-3", Action.HOME_ARRANGE),
            ("collections", _("Collections"), "square-stack", Action.HOME_ARRANGE),
            ("announcements", _("Announcements"), "megaphone", Action.PORTAL_ANNOUNCE),
            ("brand", _("Looks and texts"), "palette", Action.PORTAL_BRAND),
        ),
    ),
    (
        _("Making"),
        (
            ("jobs", _("Jobs"), "cog", Action.STUDIO_SEE),
            ("quality_reports", _("Quality"), "clipboard-check", Action.STUDIO_SEE),
            ("libraries", _("Libraries"), "layers", Action.LIBRARY_MANAGE),
            ("nodes", _("Machines"), "server", Action.NODE_MANAGE),
            ("stored", _("Storage"), "hard-drive", Action.STORAGE_MANAGE),
        ),
    ),
    (
        _("Audience"),
        (
            ("playing", _("Now playing"), "tv", Action.PLAYBACK_MANAGE),
            ("accounts", _("Accounts"), "users", Action.ACCOUNT_MANAGE),
            ("groups", _("Groups"), "users-round", Action.ACCOUNT_MANAGE),
            ("access", _("Access"), "eye", Action.ACCESS_EXPLAIN),
        ),
    ),
    (
        _("System"),
        (
            ("status", _("Status"), "activity", Action.SYSTEM_SEE),
            ("backups", _("Backups"), "archive", Action.SYSTEM_SEE),
            ("webhooks", _("Webhooks"), "webhook", Action.INTEGRATION_MANAGE),
            ("mail", _("E-mail"), "mail", Action.INTEGRATION_MANAGE),
            ("tokens", _("API tokens"), "key-round", Action.INTEGRATION_MANAGE),
            ("audit", _("Audit log"), "scroll-text", Action.AUDIT_READ),
        ),
    ),
)


def install() -> dict[str, Callable[[], list[Group]]]:
    """Give the templates of the Studio its menu."""
    return {"studio_menu": lambda: menu(context.actor())}


def menu(actor: Actor) -> list[Group]:
    """Return the groups with what the actor may see of them; none is empty."""
    groups = [
        Group(str(heading), tuple(_shown(actor, places))) for heading, places in _GROUPS
    ]
    return [group for group in groups if group.places]


def _shown(
    actor: Actor, places: tuple[tuple[str, str, str, Action], ...]
) -> Iterator[Place]:
    for endpoint, words, drawing, action in places:
        known = f"{_STUDIO}{endpoint}" in current_app.view_functions
        if not known or not actor.may(action):
            continue
        address = url_for(f"{_STUDIO}{endpoint}")
        yield Place(
            address,
            str(words),
            drawing,
            here=_within(address),
            open=request.path == address,
        )


def _within(address: str) -> bool:
    """Say whether the page lies at ``address`` or below.

    The first place is the root of the Studio; below it are the pages of titles.
    """
    below = f"{address}titles" if address.endswith("/") else address
    return request.path in (address, below) or request.path.startswith(f"{below}/")
