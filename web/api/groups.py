"""Groups of accounts: made, filled and removed."""

from typing import Any

from appliance.accounts import groups
from appliance.accounts.groups import Group
from appliance.permissions import Action
from web import context, guard
from web.api import group_schemas as schemas
from web.api.endpoint import Endpoint


def list_groups() -> dict[str, Any]:
    """List the groups."""
    return {"groups": groups.listing(context.db())}


def add_group(given: dict[str, Any]) -> Group:
    """Make a group."""
    return groups.add(context.db(), context.actor(), given["name"])


def show_group(group: str) -> dict[str, Any]:
    """Show a group, by id or name, with who is in it."""
    found = groups.find(context.db(), group)
    return {"group": found, "members": groups.members(context.db(), found)}


def remove_group(group: str) -> None:
    """Remove a group with its rights."""
    groups.remove(context.db(), context.actor(), group)


def join_group(group: str, username: str) -> Group:
    """Put an account into a group."""
    return groups.join(context.db(), context.actor(), group, username)


def leave_group(group: str, username: str) -> Group:
    """Take an account out of a group."""
    return groups.leave(context.db(), context.actor(), group, username)


_MANAGE = guard.needs(Action.ACCOUNT_MANAGE)
_ONE = "/groups/<group>"
_MEMBER = f"{_ONE}/members/<username>"

ENDPOINTS = (
    Endpoint("GET", "/groups", list_groups, _MANAGE, gives=schemas.Groups),
    Endpoint(
        *("POST", "/groups", add_group, _MANAGE),
        takes=schemas.NewGroup,
        gives=schemas.Group,
        status=201,
    ),
    Endpoint("GET", _ONE, show_group, _MANAGE, gives=schemas.Members),
    Endpoint("DELETE", _ONE, remove_group, _MANAGE, status=204),
    Endpoint("PUT", _MEMBER, join_group, _MANAGE, gives=schemas.Group),
    Endpoint("DELETE", _MEMBER, leave_group, _MANAGE, gives=schemas.Group),
)
