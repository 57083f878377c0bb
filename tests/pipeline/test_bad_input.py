"""What people upload: each becomes a playable title, or a refusal that helps."""

import struct
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from appliance.errors import MediaError, StorageFull
from jobs.planning.chunks import Grid
from jobs.steps import inspect
from jobs.tools import packager
from jobs.tools.packager import Input
from jobs.work import Work
from tests.media_samples import FAST, Tone, ffmpeg, film, numbered
from tests.pipeline.conftest import Process


def _refused(path: Path, work: Work) -> MediaError:
    with pytest.raises(MediaError) as caught:
        inspect.inspect(path, work)
    message = caught.value.message
    assert message.endswith(".")
    assert str(path) not in message
    return caught.value


def test_a_text_file_is_refused(tmp_path: Path, work: Work) -> None:
    path = tmp_path / "film.mp4"
    path.write_text("This is not a film, whatever its name says.\n" * 100)

    error = _refused(path, work)

    assert error.code == "source.unreadable"
    assert "choose an MP4" in error.message


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n",
        "ffconcat version 1.0\nfile '/etc/passwd'\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    ],
    ids=["hls", "concat", "dash"],
)
def test_a_playlist_cannot_make_the_server_read_its_own_files(
    tmp_path: Path, work: Work, text: str
) -> None:
    path = tmp_path / "film.mp4"
    path.write_text(text)

    error = _refused(path, work)

    assert error.code == "source.unreadable"
    assert "root:" not in str(error.details)


def test_an_empty_file_is_refused(tmp_path: Path, work: Work) -> None:
    path = tmp_path / "film.mp4"
    path.touch()

    assert _refused(path, work).code == "source.empty"


@pytest.mark.parametrize("name", ["cut.mp4", "cut-fast.mp4", "cut.mkv"])
def test_a_truncated_file_is_refused(
    clips: Path, tmp_path: Path, work: Work, name: str
) -> None:
    more = ("-movflags", "+faststart") if "fast" in name else ()
    whole = film(clips, name, seconds=6, more=more).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: len(whole) * 6 // 10])

    error = _refused(path, work)

    assert error.code == "source.truncated"
    assert "Upload the complete file" in error.message


def test_a_truncated_transport_stream_is_what_there_is_of_it(
    clips: Path, tmp_path: Path, process_film: Process
) -> None:
    whole = film(clips, "cut.ts", seconds=6).read_bytes()
    path = tmp_path / "cut.ts"
    path.write_bytes(whole[: len(whole) * 6 // 10])

    run = process_film(path)

    assert 2 < run.source.duration < 5
    assert run.results["verify"]["verdict"] == "passed"


def test_sound_alone_is_refused(clips: Path, work: Work) -> None:
    path = clips / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=2", "-c:a", "aac", path)

    assert _refused(path, work).code == "source.no-picture"


def test_sound_with_a_cover_is_refused(clips: Path, work: Work) -> None:
    path = clips / "cover.mp4"
    cover = clips / "cover.jpg"
    ffmpeg("-i", film(clips), "-frames:v", "1", cover)
    ffmpeg(
        *("-f", "lavfi", "-i", "sine=duration=2", "-i", cover, "-map", "0", "-map"),
        *("1", "-c:a", "aac", "-c:v", "copy", "-disposition:v", "attached_pic", path),
    )

    assert _refused(path, work).code == "source.no-picture"


def test_a_single_frame_is_refused(clips: Path, work: Work) -> None:
    assert _refused(numbered(clips, frames=1), work).code == "source.too-short"


def test_a_picture_of_a_few_pixels_is_refused(clips: Path, work: Work) -> None:
    path = film(clips, "tiny.mp4", seconds=1, size="16x16", tones=())

    assert _refused(path, work).code == "source.too-small"


def test_noise_in_the_picture_is_refused(clips: Path, work: Work) -> None:
    path = clips / "noise.mp4"
    whole = bytearray(film(clips, "plain.mp4", tones=()).read_bytes())
    at = whole.index(b"mdat") + 4
    end = whole.index(b"moov") - 4
    whole[at:end] = bytes((n * 7919) % 251 for n in range(end - at))
    path.write_bytes(whole)

    assert _refused(path, work).code == "source.undecodable"


def test_time_stamps_that_jump_are_refused(clips: Path, work: Work) -> None:
    # Two transport streams, one after the other, as a recorder leaves them.
    path = clips / "jump.ts"
    late = film(clips, "late.ts", more=("-output_ts_offset", "5000"))
    path.write_bytes(late.read_bytes() + film(clips, "soon.ts").read_bytes())

    error = _refused(path, work)

    assert error.code == "source.time-stamps"


def _plays(process_film: Process, path: Path) -> tuple[int, int]:
    """Process a film; return the size of its largest rendition."""
    run = process_film(path)
    assert run.results["verify"]["verdict"] == "passed"
    largest = run.of_kind("video")[-1]
    return largest["width"], largest["height"]


def test_a_silent_film_plays(clips: Path, process_film: Process) -> None:
    run = process_film(film(clips, "silent.mp4", tones=()))

    assert [track["kind"] for track in run.tracks] == ["video"]
    assert run.results["verify"]["verdict"] == "passed"


def test_odd_sizes_play(clips: Path, process_film: Process) -> None:
    path = film(
        clips,
        "odd.mkv",
        size="321x241",
        seconds=2,
        video=("-c:v", "ffv1", "-pix_fmt", "yuv444p"),
    )

    assert _plays(process_film, path) == (312, 234)


def test_a_rotated_phone_film_stands_upright(
    clips: Path, process_film: Process
) -> None:
    path = clips / "phone.mp4"
    plain = film(clips, "wide.mp4", size="640x360", seconds=2)
    ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v", "rotate=90", path)

    assert _plays(process_film, path) == (360, 640)


def test_an_anamorphic_film_keeps_its_shape(clips: Path, process_film: Process) -> None:
    path = film(
        clips, "anamorphic.mp4", seconds=1, size="720x576", filters="setsar=64/45"
    )

    assert _plays(process_film, path) == (1024, 576)


def test_ten_bits_play(clips: Path, process_film: Process) -> None:
    path = film(
        clips,
        "ten.mkv",
        seconds=2,
        video=(
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=none",
            "-pix_fmt",
            "yuv420p10le",
        ),
    )

    assert _plays(process_film, path) == (312, 234)


def test_every_language_becomes_a_track_in_stereo_and_one_in_surround(
    clips: Path, process_film: Process
) -> None:
    path = film(
        clips,
        "two.mkv",
        seconds=2,
        tones=(Tone(440, "eng", 6), Tone(880, "fra"), Tone(660, "eng")),
    )

    sounds = process_film(path).of_kind("audio")

    assert [(each["language"], each["channels"]) for each in sounds] == [
        ("en", 2),
        ("en", 6),
        ("fr", 2),
        ("en", 2),
    ]
    assert len({each["label"] for each in sounds}) == 4


def test_a_wrong_duration_in_the_header_does_not_matter(
    clips: Path, tmp_path: Path, process_film: Process
) -> None:
    path = tmp_path / "liar.mp4"
    data = bytearray(film(clips, "honest.mp4", seconds=5).read_bytes())
    for box in (b"mvhd", b"mdhd"):
        at = data.find(box)
        while at >= 0:
            struct.pack_into(">I", data, at + 4 + 16, 0x00FFFFFF)
            at = data.find(box, at + 4)
    path.write_bytes(data)

    run = process_film(path)

    assert run.source.duration == 5
    assert run.results["package"]["duration"] == 5


@pytest.mark.parametrize(
    "name", ['a film\'s "name".mp4', "two\nlines.mp4", "-i.mp4", "pipe:1.mp4", "%d.mp4"]
)
def test_any_name_will_do(clips: Path, tmp_path: Path, work: Work, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(film(clips).read_bytes())

    assert inspect.inspect(path, work).picture.frames == 96


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give the scratch of jobs a disk of three megabytes."""
    disk = tmp_path / "media" / "work"
    disk.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root and the right to mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_up_is_told_in_one_sentence(
    clips: Path, small_disk: Path, process_film: Process
) -> None:
    path = film(
        clips, "noisy.mp4", seconds=8, size="640x360", filters="noise=alls=60:allf=t"
    )

    with pytest.raises(StorageFull, match="is full: free some room and try again"):
        process_film(path, crf=1)

    assert path.exists()


def test_the_packager_running_out_of_room_says_so(
    clips: Path, small_disk: Path, work: Work
) -> None:
    path = film(clips, "long.mp4", seconds=60, size="64x64", more=("-g", "48"))
    (small_disk / "ballast").write_bytes(bytes(2_900_000))
    full = Work(small_disk, work.storage, "job")
    grid = Grid(60 * 24, Fraction(24), 4, 2)

    with pytest.raises(StorageFull):
        packager.package([Input(path, "audio", "sound")], full, grid)


@pytest.mark.parametrize("times", [20.0, 0.2])
@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_a_header_that_claims_another_duration_is_told_of_and_not_believed(
    clips: Path, tmp_path: Path, process_film: Process, container: str, times: float
) -> None:
    path = tmp_path / f"liar.{container}"
    honest = film(clips, f"honest-5.{container}", seconds=5, size="320x180")
    path.write_bytes(_claiming(bytearray(honest.read_bytes()), times))

    run = process_film(path, per_title=False)

    assert run.source.claimed == pytest.approx(5 * times, abs=0.1)
    assert (run.source.duration, run.results["package"]["duration"]) == (5, 5)
    report = run.results["verify"]
    assert report["verdict"] == "passed"
    (told,) = [each for each in report["checks"] if each["id"] == "source-duration"]
    assert told["note"]
    assert told["sentence"].startswith("The file says that it lasts ")
    assert "what is in it lasts 0:05" in told["sentence"]


@pytest.mark.parametrize(
    ("picture", "sound", "name", "said"),
    [
        (8, 3, "source-sound", "The sound of the source ends at 0:03, 5 s before"),
        (3, 8, "source-picture", "The picture of the source ends at 0:03, 5 s before"),
    ],
)
def test_a_track_that_ends_early_is_filled_up_and_told_of(
    clips: Path,
    process_film: Process,
    picture: int,
    sound: int,
    name: str,
    said: str,
) -> None:
    path = clips / f"{name}.mp4"
    still = film(clips, f"{name}-alone.mp4", seconds=picture, size="320x180", tones=())
    ffmpeg(
        *("-i", still, "-f", "lavfi", "-i", f"sine=duration={sound}"),
        *("-c:v", "copy", "-c:a", "aac", path),
    )

    run = process_film(path, per_title=False)

    report = run.results["verify"]
    assert report["verdict"] == "warned"
    (told,) = [each for each in report["checks"] if each["level"] == "warn"]
    assert (told["id"], told["sentence"][: len(said)]) == (name, said)
    assert {each["seconds"] for each in report["tracks"]} == {8.0}


def test_a_varying_rate_is_told_of(clips: Path, process_film: Process) -> None:
    path = numbered(
        clips,
        "varying-told.mkv",
        frames=144,
        filters="select='lt(n,96)+not(mod(n,2))'",
        more=("-fps_mode", "passthrough", *FAST[:2]),
    )

    run = process_film(path, per_title=False)

    (told,) = [
        each for each in run.results["verify"]["checks"] if each["id"] == "source-rate"
    ]
    assert run.results["verify"]["verdict"] == "passed"
    assert "at a varying rate; here they come at 24 a second" in told["sentence"]


def _claiming(data: bytearray, times: float) -> bytes:
    """Let the header of an MP4 or Matroska file claim another duration."""
    for box, offset in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)):
        at = data.find(box)
        while at >= 0:
            (old,) = struct.unpack_from(">I", data, at + offset)
            struct.pack_into(">I", data, at + offset, int(old * times))
            at = data.find(box, at + 4)
    # The element Duration, a floating point number of eight bytes.
    at = data.find(b"\x44\x89\x88")
    if at >= 0:
        (old,) = struct.unpack_from(">d", data, at + 3)
        struct.pack_into(">d", data, at + 3, old * times)
    return bytes(data)
