"""A film that really plays: made by ffmpeg, taken through the whole pipeline."""

import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.catalog import artwork, titles
from appliance.catalog.titles import Title
from appliance.cenc import Scheme
from appliance.media import assets
from appliance.permissions import SYSTEM
from jobs.making import films, protection
from jobs.making.encryption import Encryption
from jobs.planning import plan
from tests import media_samples
from tests.browser import kept
from tests.browser.kept import Kept
from tests.browser.live_portal import LivePortal
from tests.media_samples import Tone
from tests.pipeline.local_run import JOB, LocalRun, run_pipeline

SECONDS = 64
SECONDS_PROTECTED = 32
_SOURCE = "source.mkv"
CAPTION = "The trees remember more than the people do"


def publish(
    portal: LivePortal,
    scratch: Path,
    *,
    protected: bool = False,
    scheme: Scheme = Scheme.CBCS,
    seconds: int | None = None,
    clear_lead: int = 0,
    just_in_time: bool = False,
    codecs: str = "h264",
    **fields: Any,
) -> Title:
    """Publish a film with two languages and subtitles.

    A clear one lasts 64 seconds and has two small renditions. A protected one lasts 32
    and has some up to 720p, which take an SD and an HD key. With ``just_in_time`` its
    tracks lie as nginx-vod-module needs them. ``fields`` are columns of the title.
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
        encode=replace(portal.settings.encode, preset="ultrafast", codecs=codecs),
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
    run = run_pipeline(
        *(source, scratch / "storage", settings),
        encrypt=encrypt,
        run_one=Kept(source.parent / "units").run_unit,
    )
    entries = [
        _installed(portal, run, track, asset.public_id, just_in_time)
        for track in [*run.tracks, run.results["thumbnails"]]
    ]
    portal.make.install(asset, entries, run.results["package"]["duration"])
    _illustrate(portal, run, title)
    return titles.by_id(portal.db, title.id)


def again(
    portal: LivePortal, film: Title, *, picture: Path | None = None, **fields: Any
) -> Title:
    """Publish another title with the very film of one that there is."""
    db = portal.db
    played = assets.playable(db, film.id)
    assert played is not None
    title = portal.make.title(
        **{"runtime_seconds": film.runtime_seconds, "rating": film.rating} | fields
    )
    asset = portal.make.asset(title, state="processing")
    entries = []
    kept = "select * from tracks where asset_id = ? and retired_at is null"
    for row in db.rows(kept, (played.id,)):
        track = secrets.token_hex(8)
        path = f"packages/{asset.public_id}/tracks/{track}"
        shutil.copytree(portal.storage.path(row["path"]), portal.storage.path(path))
        facts = json.loads(row["facts"])
        entries.append({**row, "id": track, "path": path, "facts": facts})
    portal.make.install(asset, entries, played.duration)
    if picture is not None:
        artwork.add(
            *(db, portal.storage, SYSTEM, title.id, "backdrop", picture),
            origin="upload",
        )
    return titles.by_id(db, title.id)


def _source(scratch: Path, seconds: int, size: str) -> Path:
    """Return the film to begin with, which is made once in a run of the tests."""
    folder = kept.place(scratch) / f"{size}-{seconds}"
    with kept.alone(folder):
        if not folder.exists():
            aside = folder.with_suffix(".new")
            aside.mkdir()
            _make_source(aside, seconds, size)
            aside.rename(folder)
    return folder / _SOURCE


def _make_source(folder: Path, seconds: int, size: str) -> None:
    tones = (Tone(440, "eng"), Tone(660, "fra"))
    plain = media_samples.film(folder, seconds=seconds, size=size, tones=tones)
    words = folder / "words.srt"
    words.write_text(
        "".join(
            f"{n + 1}\n00:00:{n * 5:02},000 --> 00:00:{n * 5 + 4:02},900\n{CAPTION}\n\n"
            for n in range(seconds // 5)
        )
    )
    media_samples.ffmpeg(
        *("-i", plain, "-i", words, "-map", "0", "-map", "1", "-c", "copy"),
        *("-metadata:s:s:0", "language=eng", folder / _SOURCE),
    )


def _installed(
    portal: LivePortal,
    run: LocalRun,
    track: dict[str, Any],
    asset: str,
    just_in_time: bool,
) -> dict[str, Any]:
    """Move what was made of a track to its place; return its entry."""
    path = f"packages/{asset}/tracks/{track['id']}"
    entry, made = {**track, "path": path}, run.track_folder(track)
    if just_in_time and track["kind"] in ("video", "audio"):
        entry = films.install(run.storage, JOB, track, path)
        made = run.storage.path(path)
    target = portal.storage.path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    made.rename(target)
    return entry


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
