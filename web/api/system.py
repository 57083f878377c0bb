"""The API about the installation itself: what the doctor finds."""

from typing import Any

from appliance.checks.examined import Examined
from appliance.checks.overview import document, overview
from appliance.permissions import Action
from web import context, guard
from web.api import system_schemas
from web.api.endpoint import Endpoint


def checks() -> dict[str, Any]:
    """Say how this installation is, as `matinee doctor --json` does.

    Checks that take long were made at night.
    """
    here = context.installation()
    return document(overview(Examined(here.settings, here.clock)).findings)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/system/checks",
        checks,
        guard.needs(Action.SYSTEM_SEE),
        gives=system_schemas.SystemChecks,
    ),
)
