"""Machines that join this cluster: they show a token for one use, over TLS."""

from collections.abc import Mapping
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any

from flask import request

from appliance import __version__
from appliance.errors import Forbidden
from jobs.machines import joining
from jobs.machines.joining import Asked, Joined
from web import context
from web.api import node_schemas
from web.api.endpoint import JOINS, Endpoint

Kept = tuple[Mapping[str, Any], int, Mapping[str, str]]

# No cache on the way may keep an answer full of secrets.
_NOWHERE: Mapping[str, str] = {"Cache-Control": "no-store"}
_PROXIED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded")


def join(given: dict[str, Any]) -> Kept:
    """Let a machine join the cluster by the token that `matinee node token` made.

    Answers, only now, with all that it needs, and with a credential for asking again.
    A token that was used or has run out is answered with 410, another with 403.
    """
    _require_private()
    asked = Asked(**given)
    db, settings = context.db(), context.settings()
    return _told(joining.join(db, settings, context.actor(), asked)), 201, _NOWHERE


def refresh(given: dict[str, Any]) -> Kept:
    """Tell a machine that joined what it needs now, as after keys were changed."""
    _require_private()
    db, settings = context.db(), context.settings()
    found = joining.refresh(db, settings, given["credential"], given["version"])
    return _told(found), 200, _NOWHERE


def _told(found: Joined) -> Mapping[str, Any]:
    member, provision = found.member, found.provision
    return {
        "node": {each: asdict(member)[each] for each in ("id", "kind", "name")},
        "version": __version__,
        "credential": found.credential,
        "settings": dict(provision.settings),
        "files": [
            {"name": name, "content": content}
            for name, content in provision.files.items()
        ],
    }


def _require_private() -> None:
    """Refuse what others on the way could read: it would be full of secrets."""
    if request.is_secure:
        return
    through = any(name in request.headers for name in _PROXIED)
    if through or not _is_here(request.remote_addr or ""):
        raise Forbidden(
            "node.plain",
            "Machines join over TLS only: ask https://, and where a proxy of ours"
            " speaks TLS, let it say so (portal.trusted_proxies).",
        )


def _is_here(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


ENDPOINTS = (
    Endpoint(
        "POST",
        "/nodes/join",
        join,
        JOINS,
        takes=node_schemas.NodeJoin,
        gives=node_schemas.NodeProvision,
        status=201,
    ),
    Endpoint(
        "POST",
        "/nodes/refresh",
        refresh,
        JOINS,
        takes=node_schemas.NodeRefresh,
        gives=node_schemas.NodeProvision,
    ),
)
