"""Pushing films to a CDN: copies of their tracks in a bucket that it fetches from.

They lie there under the very path that it asks for, ``media/<asset>/all/tracks/…``,
which holds no token. What counts stays where it is: manifests, keys and licences come
from here, and so does whatever the bucket does not have. Tracks never change, so that
a file which is there with its size is there; every upload is signed with its hash.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from appliance import digests
from appliance.catalog import titles
from appliance.catalog.titles import Title, TitleState
from appliance.db import Database, write
from appliance.delivery import shield
from appliance.delivery.tokens import Scope
from appliance.digests import Files
from appliance.errors import Conflict, PreconditionFailed
from appliance.events import Event, record
from appliance.media import assets, contents, leftovers, tracks
from appliance.media.assets import Asset, AssetState
from appliance.media.moving import CACHING, mimetype
from appliance.media.tracks import Place, Track
from appliance.objects import Stores, together
from appliance.permissions import Action, Actor, check

_ROOT = "media"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was put there of one title; ``files`` and ``bytes`` were missing before.

    ``left_out`` counts tracks that can't lie there: nginx packages them when asked.
    """

    title: str
    tracks: int
    files: int
    bytes: int
    left_out: int


@dataclass
class Push:
    """A push from an installation; ``see`` is told the bytes as they are there.

    With ``thorough`` what is there already is read and compared too.
    """

    db: Database
    stores: Stores
    actor: Actor
    thorough: bool = False
    see: Callable[[int], object] = field(default=lambda _: None)

    def everything(self) -> Iterator[Pushed]:
        """Push every published title, the newest first. Errors: as of one title."""
        check(self.actor, Action.STORAGE_MANAGE)
        for each in _published(self.db, self.actor):
            yield self.title(each.slug)

    def title(self, slug: str) -> Pushed:
        """Push what of a title is not there yet, and say what it was.

        Errors: ``NotFound``, ``PreconditionFailed`` when it is not published,
        ``Forbidden``, ``Conflict`` for a damaged file, ``Locked`` while something is
        moved; those of the object storage.
        """
        check(self.actor, Action.STORAGE_MANAGE)
        title = titles.by_slug(self.db, self.actor, slug)
        if title.state is not TitleState.PUBLISHED:
            raise PreconditionFailed(
                "cdn.unpublished",
                f"“{title.name}” is not published: publish it, then push it.",
            )
        sizes: list[int] = []
        with leftovers.only_one(self.stores.settings):
            found = [
                (asset, track)
                for asset in assets.of_title(self.db, title.id)
                if asset.state is AssetState.READY
                for track in tracks.of_asset(self.db, asset.id)
            ]
            fixed = [each for each in found if "film" not in each[1].facts]
            for asset, track in fixed:
                sizes += self._track(asset, track)
        pushed = Pushed(
            slug, len(fixed), len(sizes), sum(sizes), len(found) - len(fixed)
        )
        if sizes:
            self._record(title, pushed)
        return pushed

    def _track(self, asset: Asset, track: Track) -> list[int]:
        """Put there what is missing of a track; return the sizes of that."""
        known = self._known(track)
        folder = address(asset.public_id, track.public_id)
        there = dict(self.stores.objects.listing(folder))
        put: list[int] = []

        def file(name: str) -> None:
            size = known[name][0]
            if not self._is_there(f"{folder}/{name}", there.get(name), known[name]):
                self._put(track, name, known[name], f"{folder}/{name}")
                put.append(size)
            self.see(size)

        together(file, known)
        return put

    def _known(self, track: Track) -> Files:
        known = tracks.files(self.db, track.id)
        if known is not None:
            return known
        # From before hashes were kept, and so on the disk: moving makes them known.
        found = digests.of_folder(self.stores.storage.existing(track.path))
        for problem in contents.problems(track, known, found):
            if problem.what != "extra":
                raise _damaged(f"{track.path}/{problem.file}")
        return {name: found[name] for name in contents.expected(track)}

    def _is_there(self, path: str, size: int | None, wanted: tuple[int, str]) -> bool:
        if size != wanted[0]:
            return False
        return not self.thorough or self.stores.objects.digest(path) == wanted

    def _put(self, track: Track, name: str, wanted: tuple[int, str], path: str) -> None:
        objects = self.stores.objects
        if track.place is Place.OBJECTS:
            objects.copy(f"{track.path}/{name}", path)
            return
        source = self._local(track) / name
        if not source.is_file() or digests.of_file(source) != wanted:
            raise _damaged(f"{track.path}/{name}")
        objects.put(source, path, mimetype(name), CACHING)

    def _local(self, track: Track) -> Path:
        return self.stores.storage.existing(track.path)

    def _record(self, title: Title, pushed: Pushed) -> None:
        with write(self.db):
            record(
                self.db,
                self.actor,
                Event.CDN_PUSH,
                f"title/{title.public_id}",
                files=pushed.files,
                bytes=pushed.bytes,
            )


def address(asset: str, track: str) -> str:
    """Return the folder of a track as CDNs ask for it, without its first slash."""
    return f"{shield.folder(asset, Scope.ALL)}tracks/{track}".removeprefix("/")


def stale(db: Database, stores: Stores, actor: Actor) -> Mapping[str, int]:
    """Return what of the bucket belongs to no published title: folders, with bytes.

    A track that was replaced belongs there as long as its files are kept here: who
    began to watch before goes on with it.
    """
    check(actor, Action.STORAGE_MANAGE)
    valid = {
        address(asset.public_id, track.public_id)
        for title in _published(db, actor)
        for asset in assets.of_title(db, title.id)
        for track in tracks.kept(db, asset.id)
    }
    found: dict[str, int] = {}
    for name, size in stores.objects.listing(_ROOT):
        folder = f"{_ROOT}/{name}".rpartition("/")[0]
        if folder not in valid:
            found[folder] = found.get(folder, 0) + size
    return found


def prune(stores: Stores, actor: Actor, folders: Sequence[str]) -> None:
    """Remove folders that :func:`stale` named, from the bucket alone."""
    check(actor, Action.STORAGE_MANAGE)
    for folder in folders:
        stores.objects.remove_folder(folder)


def _published(db: Database, actor: Actor) -> Iterator[Title]:
    for page in count():
        found = titles.listing(
            db,
            actor,
            state=TitleState.PUBLISHED,
            limit=_PAGE,
            offset=page * _PAGE,
        )
        yield from found
        if len(found) < _PAGE:
            return


def _damaged(path: str) -> Conflict:
    return Conflict(
        "storage.damaged",
        f"{path} is not what was installed: see `matinee storage verify`, and process"
        " the film again.",
    )
