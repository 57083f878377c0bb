"""What a film gets besides its tracks, from a real file to what its pages ask for."""

from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient

from appliance.catalog import states, titles
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import assets, markers, uploads
from appliance.media.jobs import JobState
from appliance.media.markers import MarkerKind, MarkerOrigin
from appliance.permissions import SYSTEM, Role
from appliance.settings import Encode, Settings
from appliance.storage import Storage
from jobs.listening import seasons
from jobs.steps import STEPS
from tests import media_samples
from tests.conftest import SignIn
from tests.pipeline.control_room import ControlRoom

_CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1
START=0
END=11
title=The arrival
[CHAPTER]
TIMEBASE=1/1
START=11
END=24
title=The departure
"""


def with_chapters(folder: Path) -> Path:
    """Make a film with chapters, long enough for a preview."""
    plain = media_samples.film(folder, "plain.mp4", seconds=24, size="160x120")
    told, film = folder / "chapters.txt", folder / "chapters.mp4"
    told.write_text(_CHAPTERS)
    media_samples.ffmpeg(
        "-i", plain, "-i", told, "-map_metadata", "1", "-c", "copy", film
    )
    return film


def test_chapters_preview_and_fingerprint_come_with_the_film(
    db: Database,
    storage: Storage,
    settings: Settings,
    clock: FixedClock,
    client: FlaskClient,
    sign_in: SignIn,
    tmp_path: Path,
) -> None:
    quick = replace(settings, encode=Encode(preset="ultrafast", per_title=False))
    room = ControlRoom(db, storage, quick, clock, dict(STEPS))
    arrival = uploads.take_in(
        *(db, storage, quick, SYSTEM, with_chapters(tmp_path), "film.mp4"),
        keep_source=False,
        publish=True,
    )

    job = room.until_ended(arrival.job)

    assert job.state is JobState.DONE, job.error_message
    asset = assets.by_public_id(db, arrival.asset)
    found = markers.of_asset(db, asset.id)
    assert [(each.kind, each.origin) for each in found] == [
        (MarkerKind.CHAPTER, MarkerOrigin.SOURCE)
    ] * 2
    assert [(each.starts_at, each.label) for each in found] == [
        (0, "The arrival"),
        (11, "The departure"),
    ]
    assert storage.path(seasons.place(asset.public_id)).stat().st_size > 400
    sign_in(client, Role.VIEWER)
    slug = titles.by_id(db, asset.title_id).slug
    address = f"/preview/{slug}/{asset.preview}.mp4"
    with client.get(address, headers={"Range": "bytes=4-11"}) as answer:
        assert (answer.status_code, answer.data[:4]) == (206, b"ftyp")
    assert client.get(f"/preview/{slug}/other.mp4").status_code == 404
    states.unpublish(db, SYSTEM, slug)
    assert client.get(address).status_code == 404
