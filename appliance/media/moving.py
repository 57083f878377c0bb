"""Moving the tracks of a film between the disk here and the object storage.

One track after the other is copied, every byte of the copy is read again and compared,
one row says where it lies from then on, and the old copy goes. Whoever plays it
meanwhile finds it in one place or the other. It may be killed at any moment and begun
again.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from appliance import digests
from appliance.catalog import titles
from appliance.db import Database, write
from appliance.digests import Files
from appliance.errors import Conflict, MatineeError, NotFound, TryAgain
from appliance.events import Event, record
from appliance.media import assets, contents, jobs, leftovers, tracks
from appliance.media.assets import Asset
from appliance.media.jobs import JobKind
from appliance.media.tracks import Place, Track
from appliance.objects import Stores, together
from appliance.permissions import Action, Actor, check

_YEAR = 365 * 24 * 3600
CACHING = f"public, max-age={_YEAR}, immutable"
TYPES: Mapping[str, str] = {
    "mp4": "video/mp4",
    "m4s": "video/iso.segment",
    "vtt": "text/vtt",
    "jpg": "image/jpeg",
}


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did: how many tracks, and what they weigh."""

    tracks: int
    bytes: int


@dataclass
class Move:
    """A move within an installation; ``see`` is told the bytes as they arrive."""

    db: Database
    stores: Stores
    actor: Actor
    see: Callable[[int], object] = field(default=lambda _: None)

    def title(self, slug: str, place: Place) -> Moved:
        """Move every film of a title to ``place``, as far as it is not there.

        Errors: ``NotFound``, ``Forbidden``, ``Conflict`` when files are missing or
        damaged, or of mode “vod”; ``Locked``; ``StorageFull``; those of the storages.
        """
        check(self.actor, Action.STORAGE_MANAGE)
        title = titles.by_slug(self.db, self.actor, slug)
        done = []
        with leftovers.only_one(self.stores.settings):
            for asset, track in self._tracks(title.id):
                if place is Place.OBJECTS:
                    self._require_unread(title.name, asset, track)
                if track.place is not place and self._track(asset, track, place):
                    done.append(track)
                else:
                    self._clear_up(track.path)
        return Moved(len(done), sum(each.bytes for each in done))

    def _tracks(self, title_id: int) -> list[tuple[Asset, Track]]:
        return [
            (asset, track)
            for asset in assets.of_title(self.db, title_id)
            for track in tracks.of_asset(self.db, asset.id)
        ]

    def _require_unread(self, name: str, asset: Asset, track: Track) -> None:
        """Refuse what must stay on the disk, for somebody reads it there."""
        if "film" in track.facts:
            raise Conflict(
                "storage.vod",
                f"“{name}” is packaged by nginx when it is asked for, which reads it"
                " from this disk: process it again with origin.mode = packaged first.",
            )
        job = jobs.making(self.db, asset.id)
        if job is not None and job.kind is JobKind.REENCRYPT:
            raise Conflict(
                "storage.reencrypting",
                f"“{name}” is being encrypted anew: wait until that has ended.",
            )

    def _track(self, asset: Asset, track: Track, place: Place) -> bool:
        """Copy, compare, switch, remove; False when it was replaced meanwhile."""
        leftovers.note(self.db, place, track.path)
        known = tracks.files(self.db, track.id)
        copy = self._copied_out if place is Place.OBJECTS else self._copied_in
        files = copy(track, known)
        with write(self.db):
            if not tracks.moved(self.db, track, place):
                return False
            if known is None:
                tracks.remember_files(self.db, track.id, files)
            leftovers.forget(self.db, place, track.path)
            leftovers.note(self.db, track.place, track.path)
            record(
                self.db,
                self.actor,
                Event.STORAGE_MOVE,
                f"asset/{asset.public_id}",
                track=track.public_id,
                to=place.value,
                bytes=track.bytes,
            )
        self._clear_up(track.path)
        return True

    def _clear_up(self, path: str) -> None:
        for place in leftovers.of_path(self.db, path):
            leftovers.clear(self.db, self.stores, place, path)

    def _copied_out(self, track: Track, known: Files | None) -> Files:
        folder = self.stores.storage.existing(track.path)
        found = digests.of_folder(folder)
        for problem in contents.problems(track, known, found):
            if problem.what != "extra":
                raise _damaged(f"{track.path}/{problem.file}", "this storage")
        files = {name: found[name] for name in known or contents.expected(track)}
        objects = self.stores.objects
        there = dict(objects.listing(track.path))

        def copy(name: str) -> None:
            path, facts = f"{track.path}/{name}", files[name]
            if there.get(name) != facts[0] or objects.digest(path) != facts:
                objects.put(folder / name, path, mimetype(name), CACHING)
                if objects.digest(path) != facts:
                    raise _differs(path, objects.name)
            self.see(facts[0])

        together(copy, files)
        return files

    def _copied_in(self, track: Track, known: Files | None) -> Files:
        if known is None:
            raise NotFound(
                "storage.unknown",
                f"Nothing is known of the files of {track.path}: bring back a backup"
                " of the database.",
            )
        self.stores.storage.require_room(sum(size for size, _ in known.values()))

        def copy(name: str) -> None:
            path = f"{track.path}/{name}"
            target = self.stores.storage.path(path)
            if not target.is_file() or digests.of_file(target) != known[name]:
                with self._stream(path) as blocks:
                    self.stores.storage.receive(blocks, path)
                if digests.of_file(target) != known[name]:
                    self.stores.storage.remove(path)
                    raise _damaged(path, self.stores.objects.name)
            self.see(known[name][0])

        together(copy, known)
        # What somebody was writing here who was killed.
        for half in self.stores.storage.existing(track.path).glob(".*"):
            half.unlink()
        return known

    @contextmanager
    def _stream(self, path: str) -> Iterator[Iterator[bytes]]:
        opened = self.stores.objects.open(path)
        try:
            yield opened.blocks()
        finally:
            opened.close()


def mimetype(name: str) -> str:
    """Return the type of a file of a track, by its name."""
    return TYPES.get(name.rpartition(".")[2], "application/octet-stream")


def _damaged(path: str, where: str) -> MatineeError:
    return Conflict(
        "storage.damaged",
        f"{path} in {where} is not what was installed: see `matinee storage verify`,"
        " and process the film again.",
    )


def _differs(path: str, where: str) -> MatineeError:
    return TryAgain(
        "storage.differs", f"{path} arrived differently in {where}: try again."
    )
