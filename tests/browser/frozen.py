"""The portal on an evening that never ends: pages depend on nothing but their rows."""

from datetime import UTC, datetime

from flask import Flask

from appliance import settings
from appliance.clock import FixedClock
from web import create_app

EVENING = datetime(2026, 2, 3, 20, 0, tzinfo=UTC)


def application() -> Flask:
    """Return what gunicorn serves."""
    return create_app(settings.load(), FixedClock(EVENING))
