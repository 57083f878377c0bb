"""Which of several hosts a player gets a film from, and the next when one dies.

Players know this as content steering, of HLS and of DASH alike. The manifests name
every host as a pathway and are the same for everybody; a small document, asked for
beside them, names the pathways of one viewer, the best first. Players begin there, go
on with the next when one fails, and ask again after :data:`TTL_SECONDS`.

Addresses on other hosts hold :data:`PLACE` where a token belongs: the player puts its
own in, as it does with every address before it asks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.delivery import routes
from appliance.delivery.routes import CDN, HERE, Edge
from appliance.settings import Settings

NAME = "steering.json"
"""What the document is called; it lies beside the manifests."""

TTL_SECONDS = 300
PLACE = "-"


@dataclass(frozen=True, slots=True)
class Pathway:
    """One way to a film; ``folder`` is empty for where the manifest lies itself."""

    id: str
    folder: str = ""


def pathways(settings: Settings, asset: str) -> tuple[Pathway, ...]:
    """Return all ways to an asset, by its public id; none where no edge is known.

    Errors: ``ConfigError`` for addresses of edges or of a CDN that can't be used.
    """
    edges = routes.edges(settings)
    if not edges:
        return ()
    cdn = routes.cdn(settings)
    hosts = [(each.name, each.base) for each in edges]
    hosts += [(cdn.name, cdn.base)] if cdn else []
    ways = [Pathway(name, f"{base}/media/{PLACE}/{asset}/") for name, base in hosts]
    return (*ways, *(() if settings.edge.required else (Pathway(HERE.name),)))


def priority(settings: Settings, address: str, session: str) -> tuple[str, ...]:
    """Return the ids of the pathways for a viewer at an address, the best first.

    The edges of the viewer's networks come first, the smallest network leading, and
    then those for everybody; of these each session begins with another, so that they
    share the work. An edge for other networks is left out: it may well be out of reach.
    Errors: as for :func:`pathways`.
    """
    edges, cdn = routes.edges(settings), routes.cdn(settings)
    near = routes.near(edges, address)
    shared = _turned([each for each in edges if not each.networks], session)
    last = () if settings.edge.required else (HERE.name,)
    names = [each.name for each in (*near, *shared)]
    return (*names, *((CDN,) if cdn else ()), *last)


def document(order: Sequence[str]) -> Mapping[str, Any]:
    """Return what players are told; they ask the same address again."""
    return {"VERSION": 1, "TTL": TTL_SECONDS, "PATHWAY-PRIORITY": list(order)}


def _turned(edges: Sequence[Edge], session: str) -> Iterator[Edge]:
    """Yield the edges in their order, beginning with one that the session decides."""
    if edges:
        first = int(session, 16) % len(edges)
        yield from (*edges[first:], *edges[:first])
