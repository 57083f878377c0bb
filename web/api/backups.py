"""Backups: what is kept, how the last ones went, and one made now."""

from dataclasses import asdict
from typing import Any

from appliance.operations.backups import runs
from appliance.operations.backups.runs import Run, RunKind
from appliance.permissions import Action
from web import context, guard
from web.api import backup_schemas
from web.api.endpoint import Endpoint


def list_backups() -> dict[str, Any]:
    """List the backups that are kept, the newest first, and how the last runs went.

    What was made by a command elsewhere, or before a restore, is not known here.
    """
    db = context.db()
    verified = runs.verified(db)
    return {
        "backups": [
            _shown(each) | {"verified_at": verified.get(each.name)}
            for each in runs.kept(db)
        ],
        "runs": [_shown(each) for each in runs.latest(db)],
    }


def make_backup() -> dict[str, Any]:
    """Ask for a backup now; the control worker makes it."""
    return _shown(runs.ask(context.db(), context.actor(), RunKind.CREATE))


def verify_backup(backup: str) -> dict[str, Any]:
    """Ask for a backup to be restored aside and tried; `last` is the newest."""
    return _shown(runs.ask(context.db(), context.actor(), RunKind.VERIFY, backup))


def _shown(run: Run) -> dict[str, Any]:
    shown = asdict(run)
    return {name: shown[name] for name in backup_schemas.Run().fields}


ENDPOINTS = (
    Endpoint(
        "GET",
        "/system/backups",
        list_backups,
        guard.needs(Action.SYSTEM_SEE),
        gives=backup_schemas.Backups,
    ),
    Endpoint(
        "POST",
        "/system/backups",
        make_backup,
        guard.needs(Action.SYSTEM_MANAGE),
        gives=backup_schemas.Run,
        status=202,
    ),
    Endpoint(
        "POST",
        "/system/backups/<backup>/verify",
        verify_backup,
        guard.needs(Action.SYSTEM_MANAGE),
        gives=backup_schemas.Run,
        status=202,
    ),
)
