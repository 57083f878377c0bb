"""Looks for intros, recaps and credits in the films of a season."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.errors import Conflict, InvalidInput
from appliance.media import assets, markers
from appliance.media.assets import Asset
from appliance.media.markers import Marker, MarkerOrigin
from appliance.permissions import Actor, check_title
from appliance.storage import Storage
from jobs.listening import intros
from jobs.listening.intros import Heard
from jobs.steps import fingerprint

_MOST = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A title with the markers it has now."""

    title: Title
    markers: tuple[Marker, ...]


def place(asset_public_id: str) -> Path:
    """Return where the fingerprint of a film is kept."""
    return Path("packages", asset_public_id, fingerprint.FILE)


def detect(
    db: Database, storage: Storage, actor: Actor, slugs: Sequence[str]
) -> list[Found]:
    """Compare the films of some titles, in their order, and keep what is found.

    Errors: ``InvalidInput`` for fewer than two or too many, ``NotFound``,
    ``Forbidden``, ``Conflict`` where a film has no fingerprint.
    """
    if not 2 <= len(set(slugs)) <= _MOST:
        raise InvalidInput(
            "marker.season", f"Name two to {_MOST} titles: the episodes of a season."
        )
    films = [_film(db, actor, slug) for slug in dict.fromkeys(slugs)]
    heard = [_heard(storage, title, asset) for title, asset in films]
    found = intros.detect(heard)
    return [
        Found(
            title,
            tuple(
                markers.found(
                    db, actor, asset.id, MarkerOrigin.DETECTED, intros.KINDS, stretches
                )
            ),
        )
        for (title, asset), stretches in zip(films, found, strict=True)
    ]


def _film(db: Database, actor: Actor, slug: str) -> tuple[Title, Asset]:
    title = titles.by_slug(db, actor, slug)
    check_title(actor, title.created_by)
    asset = assets.playable(db, title.id)
    if asset is None:
        raise Conflict(
            "marker.no-film", f"“{title.name}” has no film yet: wait until it is ready."
        )
    return title, asset


def _heard(storage: Storage, title: Title, asset: Asset) -> Heard:
    path = storage.path(place(asset.public_id))
    if not path.is_file():
        raise Conflict(
            "marker.no-fingerprint",
            f"Nobody has listened to “{title.name}” yet: it has no sound, or was made"
            " by an older version. Its markers can be set by hand.",
        )
    return Heard(fingerprint.read(path), asset.duration or 0.0)
