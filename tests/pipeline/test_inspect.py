"""What inspecting finds in sound films of every kind."""

from fractions import Fraction
from pathlib import Path

import pytest

from jobs.planning.rates import constant_rate
from jobs.planning.source import Source, from_facts
from jobs.steps.inspect import inspect
from jobs.work import Work
from tests.media_samples import FAST, Tone, ffmpeg, film

MS = Fraction(1, 1000)


def _shape(source: Source) -> tuple[int, int]:
    return source.picture.width, source.picture.height


def test_a_plain_film(clips: Path, work: Work) -> None:
    found = inspect(film(clips), work)

    assert _shape(found) == (320, 240)
    assert (found.picture.rate, found.picture.frames) == (Fraction(24), 96)
    assert found.duration == 4
    assert not found.picture.variable
    assert [sound.language for sound in found.sounds] == ["en"]
    assert len(found.sha256) == 64


def test_what_a_trim_hides_is_not_taken_for_missing(clips: Path, work: Work) -> None:
    """Phones trim so: all from the last keyframe on is kept, the edit list hides it."""
    keys_far_apart = (*FAST, "-g", "120")
    whole = film(clips, "untrimmed.mp4", seconds=8, video=keys_far_apart)
    trimmed = clips / "trimmed.mp4"
    ffmpeg("-y", "-ss", "3", "-i", whole, "-c", "copy", trimmed)

    found = inspect(trimmed, work)

    assert found.duration == pytest.approx(5, abs=0.1)


def test_a_piece_cut_out_without_encoding_is_whole(
    clips: Path, tmp_path: Path, work: Work
) -> None:
    # One keyframe only, so that most of what is in the file is skipped.
    long = ("-g", "400", "-keyint_min", "400", "-bf", "3")
    whole = film(clips, "long.mp4", seconds=12, video=(*FAST, *long))
    piece = tmp_path / "piece.mp4"
    ffmpeg("-ss", "8", "-t", "3", "-i", whole, "-c", "copy", piece)

    found = inspect(piece, work)

    assert found.duration == pytest.approx(3, abs=0.3)


def test_facts_survive_the_database(clips: Path, work: Work) -> None:
    found = inspect(film(clips), work)

    assert from_facts(found.as_facts()) == found


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "50", "60000/1001"])
@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_the_rate_is_the_exact_fraction(
    clips: Path, work: Work, rate: str, container: str
) -> None:
    name = f"rate-{rate.replace('/', '-')}.{container}"
    clip = film(clips, name, seconds=2, size="128x96", rate=rate, tones=())

    found = inspect(clip, work)

    assert found.picture.rate == Fraction(rate)
    assert found.picture.frames == round(2 * Fraction(rate))


def test_more_than_sixty_frames_a_second_are_halved(clips: Path, work: Work) -> None:
    clip = film(clips, "fast.mp4", seconds=1, size="128x96", rate="120", tones=())

    assert inspect(clip, work).picture.rate == 60


def test_a_varying_rate_becomes_the_usual_one() -> None:
    steady = [round(n * 1000 / 30) for n in range(60)]
    slow = [2000 + n * 66 for n in range(30)]

    assert constant_rate(steady + slow, MS, None) == (Fraction(30), True)


def test_rounded_time_stamps_are_no_varying_rate() -> None:
    stamps = [round(n * 1001 / 24) for n in range(100)]

    assert constant_rate(stamps, MS, None) == (Fraction(24000, 1001), False)


def test_a_phone_film_is_turned_upright(clips: Path, work: Work) -> None:
    plain = film(clips)
    turned = clips / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", plain, "-c", "copy", turned) if (
        _knows_display_rotation()
    ) else ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v", "rotate=90", turned)

    assert _shape(inspect(turned, work)) == (240, 320)


def test_anamorphic_pixels_are_made_square(clips: Path, work: Work) -> None:
    clip = film(
        clips, "pal-wide.mp4", seconds=1, size="720x576", filters="setsar=64/45"
    )

    assert _shape(inspect(clip, work)) == (1024, 576)


def test_interlaced_pictures_are_seen_whatever_the_mark_says(
    clips: Path, work: Work
) -> None:
    fields = film(
        clips,
        "fields.mp4",
        seconds=2,
        rate="50",
        filters="tinterlace=interleave_top,fieldorder=tff",
        video=("-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ildct+ilme"),
    )
    only_marked = film(
        clips,
        "marked.mp4",
        seconds=2,
        rate="25",
        filters="gblur=2",
        video=(*FAST, "-x264opts", "tff=1:fake-interlaced=1"),
    )

    assert inspect(fields, work).picture.fields == "tff"
    assert inspect(only_marked, work).picture.fields == ""


def test_ten_bits_and_their_transfer_are_noted(clips: Path, work: Work) -> None:
    clip = film(
        clips,
        "ten-bit.mkv",
        seconds=1,
        video=(
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"),
            *("-color_trc", "smpte2084", "-color_primaries", "bt2020"),
            *("-colorspace", "bt2020nc"),
        ),
    )

    found = inspect(clip, work)

    assert (found.picture.bits, found.picture.transfer) == (10, "smpte2084")


def test_every_sound_track_is_listed_with_its_language(clips: Path, work: Work) -> None:
    clip = film(
        clips,
        "languages.mkv",
        tones=(Tone(440, "eng"), Tone(880, "fre", 6), Tone(660, "deu", title="Kino")),
    )

    sounds = inspect(clip, work).sounds

    assert [sound.language for sound in sounds] == ["en", "fr", "de"]
    assert [sound.channels for sound in sounds] == [2, 6, 2]
    assert [sound.role for sound in sounds] == ["main", "alternate", "alternate"]
    assert sounds[2].title == "Kino"


def test_text_subtitles_and_chapters_are_listed(clips: Path, work: Work) -> None:
    found = inspect(subtitled(clips), work)

    assert [(each.language, each.codec) for each in found.captions] == [
        ("en", "subrip")
    ]
    assert [each["title"] for each in found.chapters] == ["Opening"]


def test_time_stamps_that_do_not_begin_at_zero(clips: Path, work: Work) -> None:
    clip = film(
        clips, "offset.ts", seconds=4, more=("-output_ts_offset", "10", "-g", "24")
    )

    found = inspect(clip, work)

    assert found.origin > 10
    assert found.picture.frames == 96
    assert found.picture.first == 0


def test_sound_that_starts_first_is_kept(clips: Path, work: Work) -> None:
    late = clips / "late-picture.mkv"
    plain = film(clips)
    ffmpeg(
        *("-itsoffset", "1", "-i", plain, "-i", plain, "-map", "0:v", "-map", "1:a"),
        *("-c", "copy", late),
    )

    found = inspect(late, work)

    # The sound of this container begins with 21 ms that prime its decoder.
    assert found.picture.first in (24, 25)
    assert found.picture.frames == found.picture.first + 96
    assert found.origin == pytest.approx(0, abs=0.03)


def subtitled(folder: Path) -> Path:
    """Make a film with English subtitles and a chapter."""
    target = folder / "subtitled.mkv"
    if target.exists():
        return target
    lines = folder / "lines.srt"
    lines.write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nHello <i>there</i>\n\n"
        "2\n00:00:03,000 --> 00:00:03,500\nBye\n"
    )
    chapters = folder / "chapters.txt"
    chapters.write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=Opening\n"
    )
    ffmpeg(
        *("-i", film(folder), "-i", lines, "-i", chapters, "-map", "0", "-map", "1"),
        *("-map_metadata", "2", "-c:v", "copy", "-c:a", "copy", "-c:s", "subrip"),
        *("-metadata:s:s:0", "language=eng", target),
    )
    return target


def _knows_display_rotation() -> bool:
    return b"display_rotation" in ffmpeg("-h", "full")
