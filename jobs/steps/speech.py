"""Speech: what is said in one sound of a film, as captions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.captions import rebreaking, writing
from appliance.captions.cues import Captions
from appliance.captions.description import FILE, Description, Origin, entry
from appliance.digests import of_file
from appliance.errors import MediaError
from appliance.settings import Speech
from jobs.steps import audio
from jobs.tools import ffmpeg, whisper
from jobs.work import Work

_SOUND = "speech.pcm"
_DECODING = 0.05


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write captions of the sound of ``spec["unit"]`` into the folder of a track.

    Returns ``{"track", "language", "sure", "words", "unsure"}``; ``track`` is None
    where nothing is said. Errors: ``MediaError`` for a language that the model does not
    know, ``PreconditionFailed`` where there is no model.
    """
    model = whisper.model(Speech(**spec["speech"]))
    language = spec["language"]
    if language and not model.knows(language):
        raise not_known(language)
    sound = work.folder / _SOUND
    ffmpeg.run(
        sound_args(work.done(spec["unit"], audio.FILE), sound),
        work,
        seconds=spec["duration"],
        report=work.part(0, _DECODING),
    )
    listening = replace(work, progress=work.part(_DECODING, 1))
    threads = spec["speech"]["threads"]
    heard = whisper.listen(sound, model, language, threads, listening)
    sound.unlink()
    if heard.words and not model.knows(heard.language):
        raise not_known(heard.language)
    language = language or heard.language or "und"
    captions = _within(rebreaking.cues(heard.words, language), spec["duration"])
    return {
        "track": _track(spec["id"], language, captions, work)
        if captions.cues
        else None,
        "language": language,
        "sure": heard.sure,
        "words": len(heard.words),
        "unsure": sum(cue.unsure for cue in captions.cues),
    }


def sound_args(source: Path, target: Path) -> list[str]:
    """Return the ffmpeg command: samples from the film's zero on, silence in gaps."""
    filters = f"aresample={whisper.SAMPLE_RATE}:async=1:min_hard_comp=0.03:first_pts=0"
    return [
        *(ffmpeg.FFMPEG, "-hide_banner", "-nostdin", "-y", "-loglevel"),
        *("level+warning", "-copyts", *ffmpeg.options(ffmpeg.OWN_INPUT)),
        *("-i", ffmpeg.url(source), "-map", "0:a:0", "-af", filters),
        *("-ac", "1", "-f", "s16le", ffmpeg.url(target)),
    ]


def not_known(language: str) -> MediaError:
    """Return the refusal of a language."""
    return MediaError(
        "speech.language",
        f"The model that is installed does not know “{language}”: see speech.model and"
        " speech.languages.",
    )


def _within(captions: Captions, duration: float) -> Captions:
    """Cut what would be shown after the film."""
    end = round(duration * 1000)
    cues = (
        replace(cue, end=min(cue.end, end)) for cue in captions.cues if cue.start < end
    )
    return Captions(tuple(cues))


def _track(
    public_id: str, language: str, captions: Captions, work: Work
) -> dict[str, Any]:
    facts = {"origin": Origin.AUTO.value}
    folder = work.folder / public_id
    folder.mkdir(exist_ok=True)
    file = folder / FILE
    file.write_text(writing.webvtt(captions), encoding="utf-8")
    described = Description.of(language)
    return entry(public_id, described, captions, facts) | {
        "folder": public_id,
        "bytes": file.stat().st_size,
        "files": {FILE: of_file(file)},
    }
