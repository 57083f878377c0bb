"""Series, people, pictures and translations from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from appliance.catalog import credits, people, series, titles, translations
from appliance.catalog.topics import tags
from appliance.db import Database
from appliance.permissions import SYSTEM
from tests.conftest import Matinee


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "pilot.mp4"
    path.write_bytes(b"pictures and sound")
    return path


def _json(matinee: Matinee, *args: str) -> Any:
    result = matinee(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_series_is_made_with_its_episodes(
    matinee: Matinee, film: Path, db: Database
) -> None:
    made = _json(
        *(matinee, "title", "add", "--kind", "series", "--title", "Dark Water"),
        *("--publish", "--tag", "slow burn", "--rating", "16"),
    )
    assert (made["slug"], made["state"], made["kind"]) == (
        "dark-water",
        "published",
        "series",
    )
    part = ("--kind", "episode", "--series", "dark-water")
    first = _json(matinee, "title", "add", str(film), "--title", "Pilot", *part)
    second = _json(
        *(matinee, "title", "add", str(film), "--title", "Well", *part),
        *("--season", "2", "--episode", "7"),
    )
    assert (first["season_number"], first["episode_number"]) == (1, 1)
    assert (second["season_number"], second["episode_number"]) == (2, 7)

    listed = _json(matinee, "season", "list", "dark-water")
    assert [each["number"] for each in listed] == [1, 2]
    set_ = _json(matinee, "season", "set", "dark-water", "2", "--name", "Winter")
    assert set_["name"] == "Winter"
    _json(matinee, "season", "renumber", "dark-water", "2")
    places = (f"{first['slug']}=2x9", f"{second['slug']}=1x1")
    _json(matinee, "season", "arrange", "dark-water", *places)
    whole = titles.by_slug(db, SYSTEM, "dark-water")
    assert [
        (each.number, each.episodes[0].name)
        for each in series.seasons(db, SYSTEM, whole)
    ] == [(1, "Well"), (2, "Pilot")]
    _json(matinee, "season", "set", "dark-water", "5")
    assert matinee("season", "remove", "dark-water", "5").exit_code == 0
    assert matinee("season", "remove", "dark-water", "2").exit_code == 3
    assert tags.of_title(db, whole.id)[0].name == "slow burn"


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("title", "add", "--title", "No film"), 2),
        (("title", "add", "--title", "X", "--kind", "episode"), 2),
        (("title", "add", "--title", "X", "--kind", "saga"), 2),
        (("title", "set", "nothing", "--kind", "film"), 4),
        (("season", "list", "nothing"), 4),
        (("season", "arrange", "nothing", "x"), 2),
        (("season", "renumber", "film", "1"), 4),
        (("season", "set", "film", "1"), 2),
        (("person", "show", "nobody"), 4),
        (("person", "set", "nobody"), 2),
        (("title", "set", "film", "--credit", "Ada"), 2),
        (("title", "set", "film", "--credit", "queen:Ada"), 2),
        (("title", "translate", "film", "de"), 2),
        (("title", "translate", "film", "german", "--title", "x"), 2),
        (("title", "artwork", "film", "poster"), 4),
        (("title", "artwork", "film", "poster", "--focus", "x"), 2),
    ],
)
def test_what_cannot_be_is_refused_with_its_exit_code(
    matinee: Matinee, db: Database, args: tuple[str, ...], code: int
) -> None:
    titles.create(db, SYSTEM, "Film")

    result = matinee(*args)

    assert result.exit_code == code, result.output
    assert db.value("select count(*) from titles") == 1


def test_people_are_listed_described_pictured_and_removed(
    matinee: Matinee, db: Database, tmp_path: Path
) -> None:
    film = titles.create(db, SYSTEM, "Film")
    credit = ("--credit", "director:Grace Hopper", "--credit", "actor:Ada Byron:Ines")
    _json(matinee, "title", "set", "film", *credit)
    assert [each.name for each in credits.of_title(db, film.id)] == [
        "Grace Hopper",
        "Ada Byron",
    ]
    face = tmp_path / "face.png"
    Image.new("RGB", (300, 400)).save(face)

    assert _json(matinee, "person", "list", "ada")[0]["person"] == "ada-byron"
    _json(matinee, "person", "set", "ada-byron", "--biography", "She wrote.")
    assert _json(matinee, "person", "portrait", "ada-byron", str(face))["portrait"]
    shown = _json(matinee, "person", "show", "ada-byron")
    assert shown["biography"] == "She wrote."
    assert shown["works"][0]["characters"] == ["Ines"]
    assert _json(matinee, "person", "portrait", "ada-byron")["portrait"] is None
    _json(matinee, "person", "add", "Bob", "--external-id", "nm2")
    assert matinee("person", "remove", "bob", "--yes").exit_code == 0
    assert people.count(db) == 2


def test_a_title_is_pictured_and_translated(
    matinee: Matinee, db: Database, tmp_path: Path
) -> None:
    film = titles.create(db, SYSTEM, "Film")
    picture = tmp_path / "wide.png"
    Image.new("RGB", (1280, 720), "teal").save(picture)

    kept = _json(
        matinee, *("title", "artwork", "film", "poster", str(picture), "--focus", "0,1")
    )
    assert kept["focus"] == [0.0, 1.0]
    again = _json(matinee, "title", "artwork", "film", "poster", "--focus", "0.25,0.75")
    assert again["artwork"] != kept["artwork"]
    assert again["focus"] == [0.25, 0.75]
    _json(matinee, "title", "artwork", "film", "poster", "--remove")
    assert titles.by_id(db, film.id).poster is None

    _json(matinee, "title", "translate", "film", "de", "--title", "Der Film")
    _json(matinee, "title", "translate", "film", "de", "--synopsis", "Gut.")
    told = translations.of_title(db, film.id)["de"]
    assert (told.name, told.synopsis) == ("Der Film", "Gut.")
