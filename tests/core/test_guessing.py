"""What file names say: episodes, trailers, films, and nonsense."""

import pytest

from appliance.catalog import guessing
from appliance.db import Database
from appliance.permissions import SYSTEM
from tests.builders import Builders

HARBOUR = "Harbour"


@pytest.mark.parametrize(
    ("filename", "kind", "series", "season", "episode", "name"),
    [
        ("harbour.s01e02.The.Keeper.mkv", "episode", HARBOUR, 1, 2, "The Keeper"),
        ("HARBOUR_1x03_master.mov", "episode", HARBOUR, 1, 3, ""),
        ("Harbour.Season.2.Episode.5.mp4", "episode", HARBOUR, 2, 5, ""),
        ("Harbour S00E01 Special.mkv", "episode", HARBOUR, 0, 1, "Special"),
        ("Lagoon S01E01.mp4", "episode", "Lagoon", 1, 1, ""),
        ("عربي S01E01.mp4", "episode", "عربي", 1, 1, ""),
        ("Orchard (2026) trailer.mp4", "trailer", "Orchard", None, None, "Orchard"),
        ("Fire safety basics.mp4", "film", "", None, None, "Fire safety basics"),
        ("=cmd|' /C calc'!A0.mp4", "film", "", None, None, "C calc'!A0"),
        ("", "film", "", None, None, "Untitled"),
        ("\x00\x1b.mp4", "film", "", None, None, "Untitled"),
    ],
)
def test_a_file_name_tells(
    db: Database,
    make: Builders,
    filename: str,
    kind: str,
    series: str,
    season: int | None,
    episode: int | None,
    name: str,
) -> None:
    make.title(HARBOUR, kind="series", state="ready")
    make.title("Orchard")

    (guess,) = guessing.guess(db, SYSTEM, [filename])

    assert (guess.kind, guess.series, guess.season, guess.episode) == (
        *(kind, series),
        *(season, episode),
    )
    assert guess.name == name


def test_of_a_page_of_a_series_all_are_episodes(db: Database, make: Builders) -> None:
    series = make.title(HARBOUR, kind="series", state="ready")

    (guess,) = guessing.guess(db, SYSTEM, ["Arrival.mp4"], into=HARBOUR)

    assert (guess.kind, guess.slug) == ("episode", series.slug)
