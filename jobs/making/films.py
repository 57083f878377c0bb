"""In which form tracks are installed: as segments, or as the one file they came from.

For nginx-vod-module (``origin.mode = vod``) a track is the clear MP4 that packaging
read: what was packaged has proved by then that keyframes, times and keys are as
planned, and is thrown away. A film that is encrypted with ``cbcs`` stays as packaged:
the module knows no such scheme that players can read, and whoever chose it wants
nothing clear on the disk.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance.cenc import Scheme
from appliance.delivery import vod
from appliance.media.tracks import TrackKind
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import attempts
from jobs.steps import audio
from jobs.tools import mp4

Entry = dict[str, Any]


def just_in_time(settings: Settings, schemes: Sequence[str | None]) -> bool:
    """Say whether tracks with these schemes are to lie as clear files on the disk."""
    return settings.origin.mode == "vod" and Scheme.CBCS not in schemes


def install(storage: Storage, job: str, track: Mapping[str, Any], path: str) -> Entry:
    """Put the file that a track was packaged from in its place; return its entry.

    ``job`` is the public id of the job that made it.

    It keeps its place in the scratch as well, for a film that is packaged once more
    because somebody changes their mind about the title now.
    """
    storage.remove(path)
    film = storage.link(_made(job, track), f"{path}/{vod.FILM}")
    # What is encrypted just in time is encrypted from the first picture on.
    begins = mp4.facts(film).begins if track["kind"] == TrackKind.AUDIO else 0
    facts = {
        **track["facts"],
        **{"film": vod.FILM, "film_begins": begins, "clear_segments": 0},
    }
    return {**track, "path": path, "bytes": film.stat().st_size, "facts": facts}


def _made(job: str, track: Mapping[str, Any]) -> Path:
    if track["kind"] == TrackKind.VIDEO:
        unit = track.get("unit", "join")
        return attempts.done_place(job, unit) / f"{track['id']}.mp4"
    # A sound is named by the unit that made it.
    return attempts.done_place(job, track["name"]) / audio.FILE
