"""Commands on many titles: found, changed, reviewed, imported, thrown away."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from appliance.catalog import titles
from appliance.db import Database
from appliance.errors import NotFound
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import Matinee


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_titles_are_found_as_in_the_studio(matinee: Matinee, make: Builders) -> None:
    make.title("Orchard", synopsis="Bees.")
    make.title("Harbour")

    found = document(matinee("title", "find", "--lacks", "synopsis", "--json"))

    assert [each["name"] for each in found] == ["Harbour"]
    assert matinee("title", "find", "--stage", "nonsense").exit_code == 2


def test_a_table_goes_out_and_in_and_changes_nothing_the_second_time(
    matinee: Matinee, make: Builders, tmp_path: Path
) -> None:
    make.title("Orchard", external_id="f1", synopsis="=1+1")
    table, result = tmp_path / "titles.csv", tmp_path / "result.csv"

    document(matinee("title", "export", "--out", str(table), "--json"))
    assert "'=1+1" in table.read_text()
    with table.open("a") as file:
        file.write("f2" + "," * (table.read_text().split("\n")[0].count(",")) + "\n")
    planned = document(matinee("title", "import", str(table), "--dry-run", "--json"))
    done = matinee(*("title", "import", str(table), "--result", str(result), "--json"))

    assert (planned["same"], planned["refused"], planned["dry_run"]) == (1, 1, True)
    assert planned["rows"][1]["errors"][0]["column"] == "name"
    assert document(done)["refused"] == 1
    assert "Give the title a name." in result.read_text()


def test_an_export_says_what_it_would_write_and_has_a_template(
    matinee: Matinee, make: Builders
) -> None:
    make.title("Orchard")

    assert document(matinee("title", "export", "--dry-run", "--json"))["titles"] == 1
    template = matinee("title", "export", "--template").stdout
    assert template.startswith("external_id,kind,")
    assert matinee("title", "import", "-", stdin=template).exit_code == 0


def test_a_broken_table_is_a_usage_error(matinee: Matinee) -> None:
    result = matinee("title", "import", "-", stdin="name\nFilm\n")

    assert result.exit_code == 2
    assert "external_id" in result.stderr


def test_many_titles_are_changed_and_put_back(
    matinee: Matinee, make: Builders, db: Database
) -> None:
    title = make.title("Orchard", genres=("Drama",))
    wish = ("--genre", "drama", "--set", "add_tags=bees", "--set", "rating=12")

    shown = document(matinee("bulk", "change", *wish, "--dry-run", "--json"))
    assert (shown["changed"], titles.by_id(db, title.id).rating) == (1, "")
    made = document(matinee("bulk", "change", *wish, "--yes", "--json"))
    assert titles.by_id(db, title.id).rating == "12"
    (listed,) = document(matinee("bulk", "list", "--json"))
    assert listed["public_id"] == made["bulk"]
    document(matinee("bulk", "undo", made["bulk"], "--yes", "--json"))
    assert titles.by_id(db, title.id).rating == ""

    assert matinee("bulk", "change", "--set", "rating=12", "--yes").exit_code == 2
    assert matinee("bulk", "change", title.slug, "--set", "colour=red").exit_code == 2
    assert matinee("bulk", "change", title.slug, "--set", "rating=1").exit_code == 2
    assert matinee("bulk", "undo", "nothing", "--yes").exit_code == 4


def test_a_title_goes_into_the_trash_back_and_for_good(
    matinee: Matinee, make: Builders, db: Database
) -> None:
    title, other = make.title("Orchard"), make.title("Harbour")

    document(matinee("title", "remove", title.slug, "--yes", "--json"))
    (found,) = document(matinee("trash", "list", "--json"))
    assert found["slug"] == title.slug
    document(matinee("trash", "restore", title.slug, "--json"))
    assert titles.by_slug(db, SYSTEM, title.slug).state == "ready"
    document(matinee("title", "remove", title.slug, "--yes", "--json"))
    document(matinee("trash", "empty", "--yes", "--json"))
    document(matinee("title", "remove", other.slug, "--now", "--yes", "--json"))

    assert db.value("select count(*) from titles") == 0
    assert matinee("trash", "restore", title.slug).exit_code == 4
    with pytest.raises(NotFound):
        titles.by_slug(db, SYSTEM, title.slug)


def test_reviews_are_asked_for_and_decided(
    matinee: Matinee, make: Builders, db: Database
) -> None:
    title = make.title("Orchard", state="ready")

    document(matinee("review", "ask", title.slug, "--note", "Look.", "--json"))
    (waiting,) = document(matinee("review", "list", "--json"))
    assert waiting["slug"] == title.slug
    document(matinee("review", "send-back", title.slug, "--note", "No.", "--json"))
    document(matinee("review", "ask", title.slug, "--json"))
    document(matinee("review", "approve", title.slug, "--json"))

    steps = document(matinee("review", "show", title.slug, "--json"))
    assert [each["decision"] for each in steps] == [
        *("approved", "asked", "rejected"),
        "asked",
    ]
    assert matinee("review", "approve", title.slug).exit_code == 3


def test_fields_are_defined_and_filled_in(
    matinee: Matinee, make: Builders, db: Database
) -> None:
    title = make.title("Orchard")
    choices = ("--kind", "choice", "--choice", "Sales", "--choice", "Lab")

    document(matinee("field", "add", "Department", *choices, "--json"))
    document(matinee("field", "fill", title.slug, "department=lab", "--json"))
    document(matinee("field", "set", "department", "--label", "Unit", "--json"))

    (field,) = document(matinee("field", "list", "--json"))
    assert (field["label"], field["used"]) == ("Unit", 1)
    assert titles.by_id(db, title.id).custom == {"department": "Lab"}
    assert matinee("field", "fill", title.slug, "department=x").exit_code == 2
    document(matinee("field", "remove", "department", "--yes", "--json"))
    assert titles.by_id(db, title.id).custom == {}


def test_films_are_fetched_only_where_that_is_switched_on(
    matinee: Matinee, settings: Settings
) -> None:
    url = "https://films.example.org/one.mp4?key=secret"
    off = matinee("fetch", "add", url)
    assert off.exit_code == 3
    assert "uploads.from_urls" in off.stderr

    config = settings.home / "matinee.toml"
    config.write_text("[uploads]\nfrom_urls = true\n")
    on = ("--config", str(config))
    made = document(matinee(*on, "fetch", "add", url, "--json"))
    assert "secret" not in json.dumps(made)
    document(matinee(*on, "fetch", "cancel", made["public_id"], "--json"))
    (listed,) = document(matinee("fetch", "list", "--json"))
    assert listed["state"] == "cancelled"
