"""``matinee library`` and what ``matinee title`` says of encoding."""

import json
from collections.abc import Callable
from typing import Any

from click.testing import Result

from appliance.catalog import libraries, titles
from appliance.db import Database
from tests.builders import Builders

Matinee = Callable[..., Result]


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_library_is_made_shown_changed_and_removed(matinee: Matinee) -> None:
    made = _json(matinee("library", "add", "Trainings", "max_height=1080", "--json"))
    assert made["library"] == "trainings"
    assert made["otherwise"] == {"max_height": 1080}
    assert made["policy"]["codecs"] == "h264"

    changed = matinee("library", "set", "trainings", "crf=24", "max_height=")
    assert "crf          24\n" in changed.stdout
    assert "max_height   2160  (as the settings)" in changed.stdout

    listed = _json(matinee("library", "list", "--json"))
    assert [each["otherwise"] for each in listed] == [{"crf": 24}]
    assert matinee("library", "remove", "trainings").exit_code == 2
    assert _json(matinee("library", "remove", "trainings", "--yes", "--json")) == {
        "removed": "trainings"
    }
    assert matinee("library", "show", "trainings").exit_code == 4


def test_what_cannot_be_is_refused_with_what_would_do(matinee: Matinee) -> None:
    refused = matinee("library", "add", "Films", "codecs=av1")

    assert refused.exit_code == 2
    assert "must name h264" in refused.stderr
    assert matinee("library", "add", "Films", "nonsense").exit_code == 2


def test_a_title_is_put_into_a_library_and_taken_out(
    matinee: Matinee, db: Database, make: Builders
) -> None:
    title = make.title("Solaris", slug="solaris")
    matinee("library", "add", "Old films")

    done = matinee(
        "title", "set", "solaris", "--library", "old-films", "--year", "1972"
    )

    assert done.stdout == "solaris  library_id, year\n"
    assert libraries.of_title(db, title.id) is not None
    shown = _json(matinee("title", "show", "solaris", "--json"))
    assert (shown["library"], shown["year"]) == ("old-films", 1972)
    matinee("title", "set", "solaris", "--library", "")
    assert titles.by_id(db, title.id).library_id is None


def test_a_title_says_what_was_saved_and_what_was_left_out(
    matinee: Matinee, db: Database, make: Builders
) -> None:
    title = make.title("Solaris", slug="solaris")
    asset = make.asset(title, heights=(234, 360), duration=10)
    entries = [
        {"name": name, "kept": kept, "cap": cap}
        for name, kept, cap in (
            ("234p", True, 200),
            ("360p", True, 600),
            ("480p", False, 1100),
        )
    ]
    analysis = {"kind": "film", "renditions": entries, "saved": {}}
    db.table("assets").update(asset.id, {"analysis": json.dumps(analysis)})
    db.conn.execute(
        "update tracks set bytes = 400000 where asset_id = ? and kind = 'video'",
        (asset.id,),
    )

    shown = matinee("title", "show", "solaris")

    # 1,900 kbit/s for ten seconds, less twice 400 kB.
    assert "66 % smaller than the fixed ladder: 1.6 MB saved" in shown.stdout


def test_a_title_in_no_library_is_told_to_say_what_to_change(
    matinee: Matinee, make: Builders
) -> None:
    make.title("Solaris", slug="solaris")

    assert matinee("title", "set", "solaris").exit_code == 2
    assert matinee("title", "set", "solaris", "--library", "no").exit_code == 4


def test_the_titles_of_a_library_are_listed(matinee: Matinee, make: Builders) -> None:
    matinee("library", "add", "Old films")
    matinee("library", "add", "Empty")
    for name in ("Solaris", "Stalker", "Playtime"):
        make.title(name, slug=name.lower())
    for slug in ("solaris", "stalker"):
        matinee("title", "set", slug, "--library", "old-films")

    within = _json(matinee("title", "list", "--library", "Old films", "--json"))
    everything = _json(matinee("title", "list", "--json"))

    assert {each["slug"] for each in within} == {"solaris", "stalker"}
    assert {each["slug"]: each["library"] for each in everything} == {
        "solaris": "old-films",
        "stalker": "old-films",
        "playtime": None,
    }
    assert "old-films" in matinee("title", "list").stdout
    nothing = matinee("title", "list", "--library", "empty")
    assert "No title is in the library “Empty”." in nothing.output
    assert matinee("title", "list", "--library", "nowhere").exit_code == 4
