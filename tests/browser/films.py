"""A film that really plays: made by ffmpeg, taken through the whole pipeline."""

from pathlib import Path

from appliance.catalog import artwork, titles
from appliance.catalog.titles import Title
from appliance.media import assets, tracks
from appliance.permissions import SYSTEM
from tests import media_samples
from tests.browser.live_portal import LivePortal
from tests.media_samples import Tone
from tests.pipeline.local_run import LocalRun, run_pipeline

SECONDS = 64
CAPTION = "The trees remember more than the people do"


def publish(portal: LivePortal, scratch: Path) -> Title:
    """Publish a film of 64 seconds: two renditions, two languages, subtitles."""
    run = run_pipeline(_source(scratch), scratch / "storage", portal.settings)
    title = portal.make.title(
        "The Long Minute",
        genres=("Drama",),
        year=2026,
        rating="6",
        runtime_seconds=float(SECONDS),
        synopsis="A minute and a little more, told in moving bars.",
    )
    asset = portal.make.asset(title, state="processing")
    entries = [
        {**track, "path": _moved(portal, run, track, asset.public_id)}
        for track in [*run.tracks, run.results["thumbnails"]]
    ]
    tracks.replace(portal.db, asset.id, entries)
    assets.installed(portal.db, asset.id, run.results["package"]["duration"])
    _illustrate(portal, run, title)
    return titles.by_id(portal.db, title.id)


def _source(folder: Path) -> Path:
    tones = (Tone(440, "eng"), Tone(660, "fra"))
    plain = media_samples.film(folder, seconds=SECONDS, size="640x360", tones=tones)
    words = folder / "words.srt"
    words.write_text(
        "".join(
            f"{n + 1}\n00:00:{n * 5:02},000 --> 00:00:{n * 5 + 4:02},900\n{CAPTION}\n\n"
            for n in range(12)
        )
    )
    source = folder / "source.mkv"
    media_samples.ffmpeg(
        *("-i", plain, "-i", words, "-map", "0", "-map", "1", "-c", "copy"),
        *("-metadata:s:s:0", "language=eng", source),
    )
    return source


def _moved(portal: LivePortal, run: LocalRun, track: dict[str, str], asset: str) -> str:
    path = f"packages/{asset}/tracks/{track['id']}"
    target = portal.storage.path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    run.track_folder(track).rename(target)
    return path


def _illustrate(portal: LivePortal, run: LocalRun, title: Title) -> None:
    best = max(run.results["thumbnails"]["candidates"], key=lambda each: each["score"])
    for kind in ("poster", "backdrop"):
        artwork.add(
            portal.db,
            portal.storage,
            SYSTEM,
            title.id,
            kind,
            run.folder("thumbnails") / best["file"],
            origin="frame",
            seconds=best["seconds"],
        )
