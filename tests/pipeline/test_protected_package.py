"""Protected tracks are encrypted as planned, and their keys are seen by nobody."""

import logging
import os
import secrets
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from appliance.cenc import SYSTEM_IDS, KeySystem, Label, Scheme
from appliance.errors import PreconditionFailed, TryAgain
from appliance.protection import pssh
from appliance.storage import Storage
from jobs.making import encryption
from jobs.making.encryption import Encryption, TrackKey
from jobs.planning.chunks import Grid
from jobs.steps import package, protected
from jobs.tools import encrypted, ffmpeg, packager, process
from jobs.tools.packager import Input
from jobs.tools.process import ProcessFailed, Run
from jobs.work import Work
from tests.media_samples import Tone, ffprobe, film
from tests.pipeline import locked
from tests.pipeline.local_run import LocalRun, work_after

TONES = (Tone(440, "eng"), Tone(880, "fre"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip whose largest rendition takes another key than the smaller ones."""
    folder = tmp_path_factory.mktemp("clip")
    return film(folder, "protected.mp4", seconds=13, size="1280x720", tones=TONES)


@pytest.fixture(scope="module")
def keys() -> Encryption:
    return locked.keys()


@pytest.fixture(scope="module")
def run(
    clip: Path, keys: Encryption, tmp_path_factory: pytest.TempPathFactory
) -> LocalRun:
    return locked.locked(clip, tmp_path_factory.mktemp("cbcs"), keys)


def test_every_quality_and_sound_gets_the_key_of_its_label(
    run: LocalRun, keys: Encryption
) -> None:
    labels = {
        track["name"]: locked.key_of(keys, track).label
        for track in run.tracks
        if track["kind"] != "text"
    }

    assert labels == {
        "234p": Label.SD,
        "360p": Label.SD,
        "480p": Label.SD,
        "720p": Label.HD,
        "audio-en-1": Label.AUDIO,
        "audio-fr-2": Label.AUDIO,
    }


def test_the_init_segment_says_what_the_row_will_say(
    run: LocalRun, keys: Encryption
) -> None:
    for track in run.tracks:
        found = encrypted.track(run.track_folder(track) / "init.mp4")
        key = locked.key_of(keys, track)

        assert found is not None
        assert (found.scheme, found.kid, found.iv) == ("cbcs", track["kid"], key.iv)
        assert (track["scheme"], track["iv"]) == ("cbcs", key.iv)
        assert found.boxes == key.boxes


def test_nothing_that_was_exact_is_less_so(run: LocalRun) -> None:
    for track in run.of_kind("video"):
        facts = track["facts"]
        assert facts["segments"] == [4 * facts["timescale"]] * 3 + [facts["timescale"]]
        assert [entry[1] for entry in facts["iframes"]] == [
            n * 2 * facts["timescale"] for n in range(7)
        ]
        folder = run.track_folder(track)
        sizes = [path.stat().st_size for path in sorted(folder.glob("*.m4s"))]
        assert facts["bytes"] == sizes
        assert track["bytes"] == sum(sizes) + (folder / "init.mp4").stat().st_size


def test_storyboards_stay_clear(run: LocalRun) -> None:
    sheet = run.track_folder(run.results["thumbnails"]) / "00001.jpg"

    assert ffprobe(sheet, "stream=codec_name") == [["mjpeg"]]


def test_renditions_that_share_a_key_never_count_through_the_same_numbers(
    clip: Path, tmp_path: Path
) -> None:
    run = locked.locked(clip, tmp_path, locked.keys(Scheme.CENC))

    begun = {}
    for track in run.tracks:
        segment = (run.track_folder(track) / "00001.m4s").read_bytes()
        at = segment.index(b"senc")
        begun[track["id"]] = struct.unpack_from(">Q", segment, at + 12)[0]
        found = encrypted.track(run.track_folder(track) / "init.mp4")
        assert found is not None
        assert (found.scheme, found.iv, found.iv_bytes) == ("cenc", None, 8)
        assert track["iv"] is None
    apart = sorted(begun.values())
    assert all(later - sooner > 10**6 for sooner, later in pairwise(apart))


@pytest.mark.parametrize(("lead", "clear"), [(0, 0), (1, 1), (4, 1), (5, 2), (60, 3)])
def test_a_clear_lead_is_of_whole_segments_and_never_all_of_the_film(
    lead: int, clear: int, tmp_path: Path
) -> None:
    grid = Grid(13 * 24, Fraction(24000, 1001), 4, 2)
    keys = locked.keys(clear_lead=lead)
    clip = _small(tmp_path, seconds=13, rate="24000/1001")
    inputs = [Input(clip, kind, kind, "SD") for kind in ("video", "audio")]

    packager.package(inputs, _work(tmp_path), grid, keys)

    assert keys.clear_segments(grid) == clear
    for kind in ("video", "audio"):
        found = encrypted.track(tmp_path / kind / "init.mp4")
        assert found is not None
        seen = [
            {part.encrypted for part in encrypted.fragments(path, found)}
            for path in sorted((tmp_path / kind).glob("*.m4s"))
        ]
        assert seen == [{False}] * clear + [{True}] * (4 - clear)


def test_the_init_segment_names_the_allowed_key_systems_only(tmp_path: Path) -> None:
    boxes = pssh.box(SYSTEM_IDS[KeySystem.WIDEVINE], b"data")
    init, keys = _packaged_with(tmp_path, boxes)

    protected.finish(tmp_path / "video", "SD", keys)

    found = encrypted.track(init)
    assert found is not None
    assert [box.system_id for box in pssh.read(found.boxes)] == [
        SYSTEM_IDS[KeySystem.WIDEVINE]
    ]
    # What follows the boxes of a film is where it was: players still read it.
    assert ffprobe(init, "stream=codec_name")[0][0] == "h264"


@pytest.mark.parametrize("otherwise", ["scheme", "kid", "iv", "clear"])
def test_a_track_that_is_not_encrypted_as_planned_is_refused(
    tmp_path: Path, otherwise: str
) -> None:
    _, keys = _packaged_with(tmp_path, b"")
    sd = keys.of("SD")
    wanted: dict[str, Encryption | None] = {
        "scheme": Encryption(Scheme.CENC, keys.keys),
        "kid": Encryption(Scheme.CBCS, {Label.SD: _other(sd, kid="0" * 32)}),
        "iv": Encryption(Scheme.CBCS, {Label.SD: _other(sd, iv="0" * 32)}),
        "clear": None,
    }

    with pytest.raises(TryAgain) as caught:
        protected.finish(tmp_path / "video", "SD", wanted[otherwise])

    assert caught.value.code == "package.unprotected"


def test_no_key_can_be_read_from_the_packager_while_it_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = locked.keys()
    grid, work = Grid(96, Fraction(24), 4, 2), _work(tmp_path)

    with (
        _opened_by("packager", tmp_path / "pipe") as (pipe, seen),
        pytest.raises(ProcessFailed) as caught,
    ):
        packager.package([Input(pipe, "video", "video", "SD")], work, grid, keys)

    assert b"--flagfile=/proc/self/fd/" in seen[0]
    assert os.fsencode(pipe) in seen[0]
    said = [seen[0].decode(), caplog.text, str(caught.value), repr(keys)]
    said.append(str(caught.value.details))
    _holds_no_key("".join(said), keys)


def test_no_key_can_be_read_from_ffmpeg_while_it_decrypts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = locked.keys()
    key = keys.of("SD").key

    with (
        _opened_by("ffmpeg", tmp_path / "pipe") as (pipe, seen),
        ffmpeg.opening(ffmpeg.url(pipe), Run(), key) as (how, opened),
        pytest.raises(ProcessFailed) as caught,
    ):
        process.run([ffmpeg.OWN_FFMPEG, *opened, "-f", "null", "-"], how)

    assert b"/proc/self/fd/" in seen[0]
    said = [seen[0].decode(), caplog.text, str(caught.value.details), repr(how)]
    _holds_no_key("".join(said), keys)


def test_what_is_told_in_memory_is_gone_afterwards() -> None:
    with process.told_in_memory(Run(), "secret", []) as (how, place):
        found = process.run(["cat", str(place)], how)
        nothing = process.run(["sh", "-c", f"cat {place} 2>&1 || true"])
        (handle,) = how.inherits

    assert found.out == "secret"
    assert "secret" not in nothing.out
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)


def test_keys_in_a_spec_open_for_their_job_only(
    run: LocalRun, keys: Encryption, tmp_path: Path
) -> None:
    spec = run.specs["package"]["encryption"]

    _holds_no_key(str(run.specs) + str(run.results), keys)
    assert encryption.opened(spec, run.keys, "job") == keys
    with pytest.raises(PreconditionFailed):
        encryption.opened(spec, run.keys, "another job")
    with pytest.raises(PreconditionFailed):
        encryption.opened(spec, tmp_path, "job")


def test_no_key_is_left_in_any_file(run: LocalRun, keys: Encryption) -> None:
    secret = [key.key for key in keys.keys.values()]
    for path in run.storage.root.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for key in secret:
                assert key.encode() not in data, path
                assert bytes.fromhex(key) not in data, path


def test_packaging_again_gives_the_same_tracks_with_the_same_keys(
    run: LocalRun,
) -> None:
    again = package.run(run.specs["package"], work_after(run))

    assert _told(again["tracks"]) == _told(run.tracks)


def _told(tracks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the digests: an init segment says when it was made."""
    return [{**track, "files": None} for track in tracks]


def _other(key: TrackKey, **changes: Any) -> TrackKey:
    fields = {"kid": key.kid, "key": key.key, "iv": key.iv, "boxes": b""}
    return TrackKey(key.label, **{**fields, **changes})


def _packaged_with(folder: Path, boxes: bytes) -> tuple[Path, Encryption]:
    """Package a moment of video with a key that has these boxes."""
    clip = _small(folder, seconds=4)
    key = TrackKey(
        Label.SD, secrets.token_hex(16), secrets.token_hex(16), "5" * 32, boxes
    )
    keys = Encryption(Scheme.CBCS, {Label.SD: key})
    inputs = [Input(clip, "video", "video", "SD")]
    grid = Grid(96, Fraction(24), 4, 2)
    packager.package(inputs, _work(folder), grid, keys)
    return folder / "video" / "init.mp4", keys


def _small(folder: Path, **wanted: Any) -> Path:
    """Make a small clip that the packager may cut every two seconds."""
    keys = ("-g", "48", "-keyint_min", "48", "-sc_threshold", "0")
    return film(folder, size="128x96", more=keys, **wanted)


def _work(folder: Path) -> Work:
    return Work(folder, Storage(folder), "job")


@contextmanager
def _opened_by(name: str, pipe: Path) -> Iterator[tuple[Path, list[bytes]]]:
    """Give an input that stops the program which opens it until it was looked at."""
    os.mkfifo(pipe)
    seen: list[bytes] = []

    def look() -> None:
        with pipe.open("wb"):  # returns when the program opens its end
            pid = locked.child(name)
            seen.append(locked.told(pid) if pid else b"")

    thread = threading.Thread(target=look)
    thread.start()
    yield pipe, seen
    thread.join(10)
    assert seen


def _holds_no_key(text: str, keys: Encryption) -> None:
    for key in keys.keys.values():
        assert key.key not in text
