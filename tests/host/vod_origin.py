"""An origin that packages just in time with nginx-vod-module, where there is one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance import migrations
from appliance import settings as configuration
from appliance.db import Database
from appliance.storage import Storage
from tests.browser.live_portal import LivePortal
from tests.builders import Builders
from tests.host.served_nginx import Nginx, Stack, environment, free_port

MODULE = os.environ.get("MATINEE_VOD_MODULE", "")
MISSING = "MATINEE_VOD_MODULE names no file of nginx-vod-module, which is not ours"

needs_module = pytest.mark.skipif(not Path(MODULE).is_file(), reason=MISSING)


@contextmanager
def portal(home: Path, **changes: str) -> Iterator[Stack]:
    """Run a portal and an nginx with the module, without films and accounts."""
    environ = environment(
        home,
        MATINEE_ORIGIN_MODE="vod",
        MATINEE_ORIGIN_VOD_MODULE=MODULE,
        MATINEE_ORIGIN_VOD_PORT=str(free_port()),
        **changes,
    )
    settings = configuration.load(environ=environ)
    migrations.migrate(settings.database)
    settings.media.mkdir(parents=True)
    storage, database = Storage(settings.media), Database(settings.database)
    nginx = Nginx(settings)
    make = Builders(database, settings, storage)
    live = LivePortal(nginx.url, settings, database, storage, make)
    stack = Stack(nginx, environ, live)
    try:
        nginx.start()
        stack.start_web()
        yield stack
        # Whatever was asked of it: no worker was lost.
        assert "exited on signal" not in nginx.errors()
    finally:
        stack.stop_web()
        nginx.stop()
        database.close()
