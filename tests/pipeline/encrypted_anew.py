"""A small film that is really made, to be encrypted anew."""

import dataclasses
import subprocess
from pathlib import Path

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import assets, jobs, publishing, tracks, uploads
from appliance.media.assets import Asset
from appliance.media.jobs import JobState
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import SYSTEM, Actor
from appliance.protection import keys
from appliance.protection.keys import KeyState
from appliance.settings import Encode, Settings
from appliance.storage import Storage
from jobs.making import reencrypt
from jobs.steps import STEPS
from jobs.tools import ffmpeg
from tests import media_samples
from tests.pipeline.control_room import ControlRoom

FRAMES = 216
MEDIA = (TrackKind.VIDEO, TrackKind.AUDIO)


@dataclasses.dataclass(frozen=True)
class Film:
    """A title with its film, as they are now."""

    room: ControlRoom
    slug: str

    @property
    def title(self) -> Title:
        return titles.by_slug(self.room.db, SYSTEM, self.slug)

    @property
    def asset(self) -> Asset:
        return assets.of_title(self.room.db, self.title.id)[0]

    @property
    def media(self) -> list[Track]:
        return [each for each in self.tracks if each.kind in MEDIA]

    @property
    def others(self) -> list[Track]:
        return [each for each in self.tracks if each.kind not in MEDIA]

    @property
    def tracks(self) -> list[Track]:
        return tracks.of_asset(self.room.db, self.asset.id)

    @property
    def folders(self) -> set[str]:
        place = self.room.storage.path(f"packages/{self.asset.public_id}/tracks")
        return {path.name for path in place.iterdir()}

    def live(self) -> set[str]:
        rows = keys.listing(self.room.db, self.slug)
        return {row.kid for row in rows if row.state is KeyState.LIVE}

    def encrypt_anew(self) -> jobs.Job:
        return self.room.until_ended(self.start())

    def start(self, actor: Actor = SYSTEM) -> str:
        room = self.room
        return reencrypt.start(room.db, room.storage, room.settings, actor, self.slug)

    def whole(self, target: Path) -> Path:
        """Write the picture as a player gets it into one file."""
        folder = self.room.storage.path(self.media[0].path)
        parts = [folder / "init.mp4", *sorted(folder.glob("*.m4s"))]
        target.write_bytes(b"".join(part.read_bytes() for part in parts))
        return target


def real_room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    """Return a room whose media workers really work."""
    encode = Encode(preset="ultrafast", chunk_seconds=20)
    quick = dataclasses.replace(settings, encode=encode)
    return ControlRoom(db, storage, quick, clock, dict(STEPS))


def published(room: ControlRoom, *, protected: bool = True) -> Film:
    """Publish a film of nine seconds."""
    clip = media_samples.film(
        room.settings.home, seconds=9, size="128x96", rate="24000/1001"
    )
    title = titles.create(room.db, SYSTEM, "The film", protected=protected)
    arrival = uploads.take_in(
        *(room.db, room.storage, room.settings, SYSTEM, clip, "film.mp4"),
        keep_source=True,
        title_id=title.id,
    )
    job = room.until_ended(arrival.job)
    assert job.state is JobState.DONE, (job.error_message, job.log_tail)
    publishing.publish(room.db, room.settings, SYSTEM, title.slug)
    room.ran.clear()
    return Film(room, title.slug)


def frames(film: Film, folder: Path) -> list[str]:
    """Return a digest of every frame that the keys of the film open."""
    picture = film.media[0]
    whole = film.whole(folder / "whole.mp4")
    key = ""
    if picture.kid:
        room = film.room
        found = keys.of_kids(room.db, room.settings, film.asset.id, [picture.kid])
        key = found[0].key.hex()
    # A key that is thrown away with its test may stand in arguments.
    opened = ["-decryption_key", key] if key else []
    listing = subprocess.run(
        [ffmpeg.OWN_FFMPEG, "-v", "error", *opened, "-i", whole, "-f", "framemd5", "-"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert listing.stderr == ""
    return [
        line.split(",")[5].strip()
        for line in listing.stdout.splitlines()
        if not line.startswith("#")
    ]
