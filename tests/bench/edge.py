"""An edge on loopback: what it costs to serve what it keeps, beside plain files.

A plain file is served by Debian's nginx as it comes, and by our own settings with and
without a token. What a cache may cost at all is shown by Debian's nginx again, with the
shortest cache there is. One worker each, asked in turn; what counts is nginx's own CPU
time.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from appliance.delivery import edge_secret
from tests.bench import load, origin
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.bench.origin import LARGE, SMALL
from tests.host.edges import edge
from tests.host.served_nginx import Nginx

_ROUNDS, _SECONDS = 11, 1
_SITES = (
    ("origin", origin.as_it_is),
    ("unchecked", origin.unchecked),
    ("debian", origin.debians),
)
_RATIOS = (
    ("edge: hit, 1 MB", "edge", LARGE, "debian", 0.95),
    ("edge: hit, 2 kB", "edge", SMALL, "debian", 0.95),
    ("edge: shortest cache, 1 MB", "cache", LARGE, "debian", None),
    ("edge: shortest cache, 2 kB", "cache", SMALL, "debian", None),
    ("edge: hit, 1 MB, ÷ our origin", "edge", LARGE, "origin", None),
    ("edge: hit, 2 kB, ÷ our origin", "edge", SMALL, "origin", None),
    ("edge: hit, 1 MB, ÷ no check", "edge", LARGE, "unchecked", None),
    ("edge: hit, 2 kB, ÷ no check", "edge", SMALL, "unchecked", None),
)


def hits(_films: Films, folder: Path) -> Iterator[Figure]:
    """Compare what an edge keeps with the same files beside it."""
    with _running(folder) as sites:
        asked = [(name, file) for file in (LARGE, SMALL) for name in sites]
        rounds = [
            {
                (name, file): load.rate(
                    sites[name], origin.address(sites[name], name, file), _SECONDS
                )
                for name, file in asked
            }
            for _ in range(_ROUNDS)
        ]
    for name, ours, file, theirs, goal in _RATIOS:
        yield origin.figure(name, rounds, (ours, file), (theirs, file), goal)


@contextmanager
def _running(folder: Path) -> Iterator[Mapping[str, Nginx]]:
    """Run all that is asked; the origin knows the edge, as the recipe has it."""
    with ExitStack() as running:
        sites = {
            name: running.enter_context(
                origin.running(folder / name, altered, edge_secret.rotate)
            )
            for name, altered in _SITES
        }
        far, plain = sites["origin"], sites["debian"]
        sites["edge"] = running.enter_context(
            edge(folder / "edge", far.url, far.settings.keys)
        )
        sites["cache"] = running.enter_context(
            origin.running(folder / "cache", _shortest(plain.url))
        )
        yield sites


def _shortest(far: str) -> Callable[[Mapping[str, str]], Mapping[str, str]]:
    """Return Debian's settings with a cache of what lies far, and nothing else."""

    def altered(files: Mapping[str, str]) -> Mapping[str, str]:
        text, found = re.subn(
            r"server { (listen [^;]+;) root ([^;]+); }",
            r"proxy_cache_path \2-kept keys_zone=kept:1m use_temp_path=off;"
            rf" server {{ \1 proxy_pass {far}; proxy_cache kept;"
            " proxy_cache_valid 1d; }",
            origin.debians(files)["nginx.conf"],
        )
        assert found == 1
        text = re.sub(r"proxy_pass [^;]+;", r"location / { \g<0> }", text)
        return {**files, "nginx.conf": text}

    return altered
