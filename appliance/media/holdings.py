"""What films take up, where that lies, and whether it is still what was installed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from appliance import digests
from appliance.catalog import titles
from appliance.db import Database, Row
from appliance.digests import Files
from appliance.errors import NotFound
from appliance.media import assets, contents, tracks
from appliance.media.contents import Problem
from appliance.media.tracks import Place, Track, TrackKind
from appliance.objects import Stores, together
from appliance.permissions import Action, Actor, check


@dataclass(frozen=True, slots=True)
class Part:
    """One rendition, language, subtitle or storyboard and what it takes up.

    ``packaged`` is what it does or would take up as segments (origin.mode = packaged).
    """

    asset: str
    track: str
    kind: TrackKind
    name: str
    place: Place
    bytes: int
    packaged: int
    encrypted: bool

    @property
    def vod(self) -> int:
        """What lies on the disk in mode “vod”: a clear file of the same samples.

        Measured, the headers of segments are 0.1 % of a picture and 0.4 % of a sound:
        not enough to tell the modes apart.
        """
        return self.bytes


@dataclass(frozen=True, slots=True)
class Holding:
    """What a title takes up, in bytes; ``source`` is what was uploaded."""

    title: str
    name: str
    source: int
    parts: tuple[Part, ...]

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    @property
    def packaged(self) -> int:
        return sum(part.packaged for part in self.parts)

    @property
    def vod(self) -> int:
        return sum(part.vod for part in self.parts)

    def at(self, place: Place) -> int:
        """Return how many of the bytes lie there."""
        return sum(part.bytes for part in self.parts if part.place is place)

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(place for place in Place if self.at(place))


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of one track; without ``hashed`` only sizes were compared."""

    title: str
    track: Track
    hashed: bool
    problems: tuple[Problem, ...]


def listing(db: Database, actor: Actor) -> list[Holding]:
    """Return what every title takes up that has a film, by its name."""
    check(actor, Action.STORAGE_MANAGE)
    parts = defaultdict(list)
    for row in db.rows(_PARTS):
        parts[row["title_id"]].append(_part(row))
    return [
        Holding(row["slug"], row["name"], row["source"], tuple(parts[row["id"]]))
        for row in db.rows(_TITLES)
    ]


_TITLES = """
select titles.id, slug, titles.name, sum(source_bytes) as source
from titles
join assets on assets.title_id = titles.id
group by titles.id
order by titles.name collate nocase, titles.id
"""

# A film that is packaged when it is asked for was packaged once, and measured.
_PARTS = """
select title_id, assets.public_id as asset, tracks.public_id as track, kind, name,
    place, bytes, scheme,
    case when json_extract(tracks.facts, '$.film') is null
        then bytes
        else coalesce(
            (select sum(value) from json_each(tracks.facts, '$.bytes')),
            bytes
        )
    end as packaged
from tracks
join assets on assets.id = tracks.asset_id
order by
    asset_id,
    case kind when 'video' then 0 when 'audio' then 1 when 'text' then 2 else 3 end,
    height, tracks.id
"""


def _part(row: Row) -> Part:
    return Part(
        asset=row["asset"],
        track=row["track"],
        kind=TrackKind(row["kind"]),
        name=row["name"],
        place=Place(row["place"]),
        bytes=row["bytes"],
        packaged=row["packaged"],
        encrypted=bool(row["scheme"]),
    )


def verify(
    db: Database, stores: Stores, actor: Actor, slug: str = ""
) -> Iterator[Verified]:
    """Read every file of a title, or of all, and compare it with the rows.

    Yields one track after the other. Errors: ``NotFound``, those of the storages.
    """
    check(actor, Action.STORAGE_MANAGE)
    stores.storage.require_mounted()
    slugs = [slug] if slug else [each.title for each in listing(db, actor)]
    for each in slugs:
        title = titles.by_slug(db, actor, each)
        for asset in assets.of_title(db, title.id):
            for track in tracks.of_asset(db, asset.id):
                known = tracks.files(db, track.id)
                found = _found(stores, track, known)
                wrong = contents.problems(track, known, found)
                yield Verified(each, track, known is not None, tuple(wrong))


def _found(stores: Stores, track: Track, known: Files | None) -> Files:
    if track.place is Place.LOCAL:
        folder = stores.storage.path(track.path)
        return digests.of_folder(folder) if folder.is_dir() else {}
    return _found_there(stores, track, known or {})


def _found_there(stores: Stores, track: Track, known: Files) -> Files:
    sizes = dict(stores.objects.listing(track.path))
    # What has another size than it must have is not fetched to find its hash.
    found = {name: (size, "") for name, size in sizes.items()}
    same = [name for name in sizes if known.get(name, (-1, ""))[0] == sizes[name]]

    def read(name: str) -> None:
        try:
            found[name] = stores.objects.digest(f"{track.path}/{name}")
        except NotFound:
            del found[name]

    together(read, same)
    return found


def totals(holdings: list[Holding]) -> Mapping[str, int]:
    """Return what all of them take up together, in bytes."""
    return {
        "sources": sum(each.source for each in holdings),
        "local": sum(each.at(Place.LOCAL) for each in holdings),
        "objects": sum(each.at(Place.OBJECTS) for each in holdings),
        "packaged": sum(each.packaged for each in holdings),
        "vod": sum(each.vod for each in holdings),
    }
