"""An edge on loopback: what it costs to serve what it keeps, beside plain files.

A plain file is served by Debian's nginx as it comes, and by our own settings with and
without a token. One worker each, asked in turn; what counts is nginx's own CPU time.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench import load, origin
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.bench.origin import LARGE, SMALL
from tests.host.edges import edge

_ROUNDS, _SECONDS = 5, 2
_SITES = (
    ("origin", origin.as_it_is),
    ("unchecked", origin.unchecked),
    ("debian", origin.debians),
)
_RATIOS = (
    ("edge: hit, 1 MB", LARGE, "debian", 0.95),
    ("edge: hit, 2 kB", SMALL, "debian", 0.95),
    ("edge: hit, 1 MB, ÷ our origin", LARGE, "origin", None),
    ("edge: hit, 2 kB, ÷ our origin", SMALL, "origin", None),
    ("edge: hit, 1 MB, ÷ no check", LARGE, "unchecked", None),
    ("edge: hit, 2 kB, ÷ no check", SMALL, "unchecked", None),
)


def hits(_films: Films, folder: Path) -> Iterator[Figure]:
    """Compare what an edge keeps with the same files beside it."""
    with ExitStack() as running:
        sites = {
            name: running.enter_context(origin.running(folder / name, altered))
            for name, altered in _SITES
        }
        far = sites["origin"]
        sites["edge"] = running.enter_context(
            edge(folder / "edge", far.url, far.settings.keys)
        )
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
    for name, file, theirs, goal in _RATIOS:
        yield origin.figure(name, rounds, ("edge", file), (theirs, file), goal)
