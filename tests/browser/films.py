"""A film that really plays: made by ffmpeg, taken through the whole pipeline."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.catalog import artwork, titles
from appliance.catalog.titles import Title
from appliance.cenc import Scheme
from appliance.media import assets, tracks
from appliance.permissions import SYSTEM
from jobs import plan, protection
from jobs.encryption import Encryption
from tests import media_samples
from tests.browser.live_portal import LivePortal
from tests.media_samples import Tone
from tests.pipeline.local_run import LocalRun, run_pipeline

SECONDS = 64
SECONDS_PROTECTED = 32
CAPTION = "The trees remember more than the people do"


def publish(
    portal: LivePortal,
    scratch: Path,
    *,
    protected: bool = False,
    scheme: Scheme = Scheme.CBCS,
    seconds: int | None = None,
    clear_lead: int = 0,
    **fields: Any,
) -> Title:
    """Publish a film with two languages and subtitles.

    A clear one lasts 64 seconds and has two small renditions. A protected one lasts 32
    and has some up to 720p, which take an SD and an HD key. ``fields`` are columns of
    the title.
    """
    length = seconds or (SECONDS_PROTECTED if protected else SECONDS)
    size = "1280x720" if protected else "640x360"
    title = portal.make.title(
        **{
            "name": "The Locked Half-Minute" if protected else "The Long Minute",
            "genres": ("Drama",),
            "year": 2026,
            "rating": "6",
            "runtime_seconds": float(length),
            "synopsis": "A minute and a little more, told in moving bars.",
            "protected": int(protected),
            "scheme": scheme.value if protected else "",
        }
        | fields
    )
    settings = replace(
        portal.settings,
        protection=replace(portal.settings.protection, clear_lead_seconds=clear_lead),
        encode=replace(portal.settings.encode, preset="ultrafast"),
    )
    asset = portal.make.asset(title, state="processing")

    def encrypt(facts: Mapping[str, Any]) -> Encryption | None:
        wanted = protection.wish(titles.by_id(portal.db, title.id), settings)
        if wanted is None:
            return None
        heights = [each.height for each in plan.renditions(facts)]
        needed = protection.labels(heights, sound=True)
        return protection.keys(portal.db, settings, asset, wanted, needed)

    source = _source(scratch, length, size)
    run = run_pipeline(source, scratch / "storage", settings, encrypt=encrypt)
    entries = [
        {**track, "path": _moved(portal, run, track, asset.public_id)}
        for track in [*run.tracks, run.results["thumbnails"]]
    ]
    tracks.replace(portal.db, asset.id, entries)
    assets.installed(portal.db, asset.id, run.results["package"]["duration"])
    _illustrate(portal, run, title)
    return titles.by_id(portal.db, title.id)


def _source(folder: Path, seconds: int, size: str) -> Path:
    tones = (Tone(440, "eng"), Tone(660, "fra"))
    plain = media_samples.film(folder, seconds=seconds, size=size, tones=tones)
    words = folder / "words.srt"
    words.write_text(
        "".join(
            f"{n + 1}\n00:00:{n * 5:02},000 --> 00:00:{n * 5 + 4:02},900\n{CAPTION}\n\n"
            for n in range(seconds // 5)
        )
    )
    source = folder / f"source-{size}.mkv"
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
