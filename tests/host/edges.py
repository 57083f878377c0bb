"""Edges for tests: a real nginx with our configuration, in front of any origin."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance import settings as configuration
from appliance.delivery import edge_secret
from tests.host.served_nginx import Nginx, environment


@contextmanager
def edge(home: Path, origin: str, keys: Path, **changes: str) -> Iterator[Nginx]:
    """Run an edge that fetches from an address and has the keys of a folder."""
    if not edge_secret.known(keys):
        edge_secret.rotate(keys)
    environ = environment(
        home,
        MATINEE_EDGE_ORIGIN=origin,
        MATINEE_STORAGE_KEYS=str(keys),
        MATINEE_EDGE_CACHE_GIGABYTES="1",
        MATINEE_EDGE_FREE_GIGABYTES="0",
        **changes,
    )
    nginx = Nginx(configuration.load(environ=environ), ("edge",))
    nginx.start()
    try:
        yield nginx
    finally:
        nginx.stop()
