"""A film is encrypted anew: with new keys, for the first time, or no longer."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from appliance import db as database
from appliance.catalog import states, titles
from appliance.catalog.titles import Title
from appliance.cenc import Scheme
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, StorageFull
from appliance.events import latest
from appliance.media import assets, jobs, tracks, uploads
from appliance.media.assets import Asset
from appliance.media.jobs import JobState
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import sessions
from appliance.protection import keys
from appliance.protection.keys import KeyState
from appliance.settings import Encode, Settings
from appliance.storage import Storage
from jobs import pipeline, reencrypt, scratch
from jobs.steps import STEPS
from jobs.tools import ffmpeg
from jobs.work import Work
from tests import media_samples
from tests.builders import Builders
from tests.pipeline.control_room import ControlRoom

KILLED = 9
MEDIA = (TrackKind.VIDEO, TrackKind.AUDIO)


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    """A room whose media workers really work."""
    encode = Encode(preset="ultrafast", chunk_seconds=20)
    quick = dataclasses.replace(settings, encode=encode)
    return ControlRoom(db, storage, quick, clock, dict(STEPS))


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("again")
    return media_samples.film(folder, seconds=9, size="128x96", rate="24000/1001")


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


@pytest.fixture
def make_film(room: ControlRoom, clip: Path) -> Callable[..., Film]:
    def make(*, protected: bool = True) -> Film:
        title = titles.create(room.db, SYSTEM, "The film", protected=protected)
        arrival = uploads.take_in(
            *(room.db, room.storage, room.settings, SYSTEM, clip, "film.mp4"),
            keep_source=True,
            title_id=title.id,
        )
        job = room.until_ended(arrival.job)
        assert job.state is JobState.DONE, (job.error_message, job.log_tail)
        states.publish(room.db, SYSTEM, title.slug)
        room.ran.clear()
        return Film(room, title.slug)

    return make


def test_after_a_leak_the_same_film_has_other_keys(
    make_film: Callable[..., Film], tmp_path: Path
) -> None:
    film = make_film()
    before, others, kids = film.media, film.others, film.live()

    job = film.encrypt_anew()

    assert job.state is JobState.DONE
    assert film.room.ran == ["join", "audio-en-1", "package", "verify"]
    for old, new in zip(before, film.media, strict=True):
        assert new.public_id != old.public_id
        assert new.kid not in kids
        assert new.iv != old.iv
        # All that manifests say of it is as it was, but for sizes of boxes.
        same = ("kind", "name", "codec", "language", "label", "role", "width")
        assert [getattr(old, n) for n in same] == [getattr(new, n) for n in same]
        for fact in ("segments", "timescale"):
            assert new.facts[fact] == old.facts[fact]
        assert (old.frame_rate, old.channels) == (new.frame_rate, new.channels)
    assert film.others == others
    assert film.asset.version == 2
    assert film.live() == {track.kid for track in film.media}
    assert film.folders == {track.public_id for track in film.tracks}


def test_its_pictures_are_the_same_to_the_last_bit(
    make_film: Callable[..., Film], tmp_path: Path
) -> None:
    film = make_film()
    before = _frames(film, tmp_path)

    film.encrypt_anew()

    assert _frames(film, tmp_path) == before
    assert len(before) == 216


def test_a_clear_film_is_protected_and_nothing_clear_stays(
    make_film: Callable[..., Film],
) -> None:
    film = make_film(protected=False)
    clear = [track.public_id for track in film.media]
    titles.edit(film.room.db, SYSTEM, film.slug, protected=True)

    job = film.encrypt_anew()
    scratch.empty_trash(film.room.storage)

    assert job.state is JobState.DONE, job.error_message
    assert {track.scheme for track in film.media} == {Scheme.CBCS}
    assert not set(clear) & film.folders
    left = film.room.storage.path("work").rglob("*")
    assert [path for path in left if path.is_file()] == []


def test_a_film_that_is_no_longer_protected_is_opened(
    make_film: Callable[..., Film], tmp_path: Path
) -> None:
    film = make_film()
    before = _frames(film, tmp_path)
    titles.edit(film.room.db, SYSTEM, film.slug, protected=False)

    job = film.encrypt_anew()

    assert job.state is JobState.DONE, job.error_message
    assert {(track.scheme, track.kid, track.iv) for track in film.media} == {
        (None, None, None)
    }
    assert film.live() == set()
    assert _frames(film, tmp_path) == before


def test_a_film_gets_another_scheme(make_film: Callable[..., Film]) -> None:
    film = make_film()
    titles.edit(film.room.db, SYSTEM, film.slug, scheme="cenc")

    job = film.encrypt_anew()

    assert job.state is JobState.DONE, job.error_message
    assert {(track.scheme, track.iv) for track in film.media} == {(Scheme.CENC, None)}


def test_a_film_is_cut_as_it_was_when_the_settings_have_changed(
    make_film: Callable[..., Film],
) -> None:
    film = make_film()
    before = [track.facts["segments"] for track in film.media]
    encode = Encode(segment_seconds=6, keyframe_seconds=3)
    film.room.settings = dataclasses.replace(film.room.settings, encode=encode)
    film.room.restart()

    job = film.encrypt_anew()

    assert job.state is JobState.DONE, job.error_message
    assert [track.facts["segments"] for track in film.media] == before


def test_whoever_watches_goes_on_until_the_new_tracks_are_there(
    make_film: Callable[..., Film], make: Builders
) -> None:
    film = make_film()
    actor = make.actor()
    room = film.room
    session = sessions.open(room.db, room.settings, actor, title=film.slug).session
    job = film.start()
    room.round(job)

    room.until_handed_out("verify")
    still = _ended(room.db, session)
    room.until_ended(job)

    assert still is None
    assert _ended(room.db, session) == "replaced"


def test_what_happened_stands_in_the_audit_log(make_film: Callable[..., Film]) -> None:
    film = make_film()

    film.encrypt_anew()

    names = [each.name for each in latest(film.room.db, 8)]
    for name in ("job:create", "key:create", "asset:install", "key:retire"):
        assert name in names


def test_a_title_without_a_film_or_without_protection_is_refused(
    make_film: Callable[..., Film],
) -> None:
    film = make_film(protected=False)
    empty = titles.create(film.room.db, SYSTEM, "No film")

    with pytest.raises(Conflict, match="is not protected"):
        film.start()
    with pytest.raises(Conflict, match="has no film yet"):
        Film(film.room, empty.slug).start()


def test_new_keys_are_for_who_manages_keys_and_protection_for_who_edits(
    make_film: Callable[..., Film], make: Builders
) -> None:
    film = make_film()
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(Forbidden):
        film.start(publisher)
    titles.edit(film.room.db, publisher, film.slug, protected=False)

    assert film.start(publisher)


def test_asking_twice_gives_the_job_that_is_under_way(
    make_film: Callable[..., Film],
) -> None:
    film = make_film()

    assert film.start() == film.start()


def test_too_little_room_is_told_before_anything_is_done(
    make_film: Callable[..., Film], monkeypatch: pytest.MonkeyPatch
) -> None:
    film = make_film()
    monkeypatch.setattr(Storage, "free_bytes", lambda _self: 1000)

    with pytest.raises(StorageFull):
        film.start()


def test_a_film_whose_keys_are_lost_is_left_as_it_is(
    make_film: Callable[..., Film],
) -> None:
    film = make_film()
    before = film.media
    film.room.db.conn.execute("delete from content_keys")

    job = film.encrypt_anew()

    assert job.state is JobState.FAILED
    assert job.error_code == "reencrypt.keys-lost"
    assert film.media == before


def test_one_who_changes_their_mind_gets_what_they_wanted_last(
    make_film: Callable[..., Film],
) -> None:
    film = make_film(protected=False)
    titles.edit(film.room.db, SYSTEM, film.slug, protected=True)
    job = film.start()
    film.room.round(job)
    film.room.until_handed_out("verify")

    titles.edit(film.room.db, SYSTEM, film.slug, protected=False)
    ended = film.room.until_ended(job)

    assert ended.state is JobState.DONE, ended.error_message
    assert {track.scheme for track in film.media} == {None}


def test_a_job_that_is_killed_anywhere_ends_well(
    make_film: Callable[..., Film],
) -> None:
    """The control side dies before every seventeenth line that it would run."""
    film = make_film()
    before, kids = film.media, film.live()
    job = film.start()
    line = 1
    deaths = 0

    while jobs.by_public_id(film.room.db, job).open:
        if _killed_at(film.room, job, line):
            line += 17
            deaths += 1
            continue
        line = 1
        film.room.round()
        film.room.work()
    film.room.round(job)

    assert jobs.by_public_id(film.room.db, job).state is JobState.DONE
    assert deaths > 20
    assert film.asset.version == 2
    assert not film.live() & kids
    assert film.live() == {track.kid for track in film.media}
    assert film.folders == {track.public_id for track in film.tracks}
    assert not {t.public_id for t in before} & film.folders
    generations = {row.generation for row in keys.listing(film.room.db, film.slug)}
    assert generations == {1, 2}


@pytest.mark.parametrize("step", ["decrypt", "package", "verify"])
def test_a_worker_that_is_killed_in_the_middle_costs_that_step_only(
    make_film: Callable[..., Film], step: str
) -> None:
    film = make_film()
    job, room = film.start(), film.room
    room.round(job)
    honest = room.steps[step]

    def dies(spec: dict[str, Any], work: Work) -> dict[str, Any]:
        child = os.fork()
        if child == 0:
            honest(spec, work)  # its work is done, and nobody will hear of it
            os.kill(os.getpid(), 9)
        os.waitpid(child, 0)
        raise SystemExit

    room.steps[step] = dies
    name = {"decrypt": "join"}.get(step, step)
    unit = room.until_handed_out(name)
    with pytest.raises(SystemExit):
        room.run(unit)
    room.steps[step] = honest

    assert room.until_ended(job).state is JobState.DONE
    assert film.live() == {track.kid for track in film.media}


def _killed_at(room: ControlRoom, job: str, line: int) -> bool:
    """Advance in a process that dies before it runs the given line of ours."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == KILLED
    try:
        _die_at(line)
        with database.connect(room.settings.database, room.clock) as db:
            pipeline.advance(db, room.storage, room.settings, job)
        os._exit(0)
    finally:
        os._exit(1)


def _die_at(line: int) -> None:
    left = line
    ours = str(Path(pipeline.__file__).parents[1])

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(ours):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os._exit(KILLED)
        return trace

    sys.settrace(trace)


def _ended(db: Database, session: str) -> str | None:
    reason: str | None = db.value(
        "select end_reason from playback_sessions where public_id = ?", (session,)
    )
    return reason or None


def _frames(film: Film, folder: Path) -> list[str]:
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
