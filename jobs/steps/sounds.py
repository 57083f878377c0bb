"""The checks of a sound: its loudness, peaks and silence, and where it lies."""

from dataclasses import dataclass
from typing import Any

from jobs.steps import defects, loudness, sync
from jobs.steps.checks import Check, Level, Limits, graded
from jobs.steps.clear import Clear, Original
from jobs.steps.loudness import Loudness
from jobs.steps.stretches import Marks, Stretch
from jobs.steps.sync import Place

# In dB and LU: from where on a difference is remarked, and from where on it is wrong.
_LEVEL_WARNS, _LEVEL_FAILS = 2.5, 8.0
_TARGET_WARNS = 1.5
# What sound may be off before nobody takes it for right (ITU-R BT.1359).
_SYNC_FAILS = 2.0


@dataclass(frozen=True, slots=True)
class Sound:
    """A stream of the source that a track was made from, and how.

    ``gain`` is by how many dB it was made louder on purpose.
    """

    stream: int
    gain: float = 0.0


def check(
    track: Clear, original: Original | None, sound: Sound | None, limits: Limits
) -> tuple[list[Check], dict[str, Any]]:
    """Return the checks of a sound and its figures."""
    measured, silent = measure(track, limits.silence_seconds)
    checks = [_loudness(track, measured, limits), _peak(track, measured, limits)]
    figures: dict[str, Any] = {
        "loudness": measured.integrated,
        "loudness_range": measured.range,
        "true_peak": measured.peak,
    }
    beside = original if sound is not None else None
    stream = sound.stream if sound is not None else 0
    checks += defects.silence(track, silent, beside, stream)
    if beside is not None and sound is not None:
        places = list(sync.heard(track, beside, sound.stream))
        figures["gain"] = sound.gain
        checks += [_place(track, places, limits), *_level(track, places, sound)]
        found = sync.middle(places)
        figures["offset_milliseconds"] = None if found is None else round(found * 1000)
    return checks, figures


def measure(track: Clear, silence_seconds: float) -> tuple[Loudness, list[Stretch]]:
    """Decode a whole sound; return its loudness, and where it is silent."""
    seconds = track.starts[-1]
    marks = Marks("silence", seconds)
    least = defects.least_silence(silence_seconds, seconds)
    chain = (
        f"asetpts=PTS-STARTPTS,silencedetect=n=-60dB:d={least}"
        ",ametadata=print:file=pipe\\\\:1,ebur128=peak=true:framelog=verbose"
    )

    def take(line: str) -> bool:
        marks.take(line)
        return True

    done = track.run(
        ["-vn", "-af", chain, "-f", "null", "-"], said="level+info", on_line=take
    )
    return loudness.read(done.log), marks.all()


def _loudness(track: Clear, found: Loudness, limits: Limits) -> Check:
    if found.silent:
        sentence = "There is nothing to hear in this track."
        return Check("loudness", Level.PASS, sentence, None, None, track.name, True)
    sentence = (
        f"Its loudness is {found.integrated:.1f} LUFS, over a range of"
        f" {found.range:.1f} LU"
    )
    if limits.loudness is None:
        value, limit = round(found.integrated, 1), None
        return Check("loudness", Level.PASS, f"{sentence}.", value, limit, track.name)
    off = abs(found.integrated - limits.loudness)
    wanted = f"; {limits.loudness} LUFS are wanted"
    # What peaks forbid to make louder was left less loud, on purpose.
    held = found.integrated < limits.loudness and found.peak > limits.true_peak - 1
    if held and off >= _TARGET_WARNS:
        wanted += ", which its peaks do not allow"
    level = Level.WARN if off >= _TARGET_WARNS and not held else Level.PASS
    return Check(
        "loudness",
        level,
        f"{sentence}{wanted}.",
        round(found.integrated, 1),
        limits.loudness,
        track.name,
        note=held and off >= _TARGET_WARNS,
    )


def _peak(track: Clear, found: Loudness, limits: Limits) -> Check:
    over = not found.silent and found.peak > limits.true_peak
    sentence = f"Its true peak is {found.peak:.1f} dBTP" + (
        f", above {limits.true_peak}: some players distort it." if over else "."
    )
    level = Level.WARN if over else Level.PASS
    value = None if found.silent else round(found.peak, 1)
    if found.silent:
        sentence = "It has no peaks."
    return Check("true-peak", level, sentence, value, limits.true_peak, track.name)


def _place(track: Clear, places: list[Place], limits: Limits) -> Check:
    """Say where the sound lies; a place is told wrong only where it is recognised."""
    told = [place.offset for place in places if place.offset is not None]
    limit = limits.sync_milliseconds
    if not told:
        return _untold(track, places, limit)
    off = round(max(told, key=abs) * 1000)
    level = graded(abs(off), limit + 1, limit * _SYNC_FAILS + 1)
    if level is Level.PASS:
        sentence = f"It lies where it lies in the source, within {max(1, abs(off))} ms."
    else:
        sentence = (
            f"It comes {abs(off)} ms {'later' if off > 0 else 'earlier'} than in the"
            " source."
        )
    return Check("sync", level, sentence, off, limit, track.name)


def _untold(track: Clear, places: list[Place], limit: int) -> Check:
    if any(place.likeness is not None for place in places):
        sentence = "It does not sound like its source wherever the two were compared."
        return Check("sync", Level.WARN, sentence, None, limit, track.name)
    sentence = "Whether it comes in time can’t be told: it sounds the same all the time"
    return Check("sync", Level.PASS, f"{sentence}.", None, limit, track.name, True)


def _level(track: Clear, places: list[Place], sound: Sound) -> list[Check]:
    """Compare how loud it is with its source, where there is something to hear."""
    loud = [place for place in places if place.source_level > sync.SILENT]
    if not loud:
        return []
    differences = sorted(
        place.level - place.source_level - sound.gain for place in loud
    )
    off = differences[len(differences) // 2]
    level = graded(abs(off), _LEVEL_WARNS, _LEVEL_FAILS)
    word = "louder" if off > 0 else "quieter"
    meant = f" and {sound.gain:+.1f} dB as wanted" if sound.gain else ""
    sentence = (
        f"It is as loud as its source{meant}."
        if level is Level.PASS
        else f"It is {abs(off):.0f} dB {word} than its source{meant}."
    )
    return [Check("level", level, sentence, round(off, 1), _LEVEL_WARNS, track.name)]
