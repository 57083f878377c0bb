"""Libraries: titles that are encoded alike."""

from collections.abc import Mapping

import pytest

from appliance.catalog import libraries, library_policy, titles
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.permissions import SYSTEM, Role
from appliance.settings import Encode
from tests.builders import Builders

PLAIN = Encode()


def _add(db: Database, name: str, **fields: object) -> libraries.Library:
    return libraries.add(db, SYSTEM, PLAIN, name, fields)


def test_a_library_keeps_only_what_differs_from_the_settings(db: Database) -> None:
    made = _add(db, "Trainings", max_height=1080, crf=PLAIN.crf, per_title=False)

    assert made.slug == "trainings"
    assert made.policy == {"max_height": 1080, "per_title": False}


def test_what_a_library_does_not_say_follows_the_settings(db: Database) -> None:
    made = _add(db, "Trainings", max_height=1080)

    applied = library_policy.applied(Encode(crf=19, max_height=2160), made.policy)

    assert (applied.crf, applied.max_height) == (19, 1080)


def test_fields_are_taken_as_somebody_types_them(db: Database) -> None:
    made = _add(
        db,
        "Films",
        codecs=" H264, av1 ",
        max_height="720",
        per_title="no",
        keep_source="30",
    )

    assert made.policy == {
        "codecs": "h264,av1",
        "max_height": 720,
        "per_title": False,
        "keep_source": "30",
    }


def test_an_empty_field_goes_back_to_the_settings(db: Database) -> None:
    _add(db, "Films", max_height=720, crf=18)

    changed = libraries.change(db, SYSTEM, PLAIN, "films", {"crf": "", "preset": None})

    assert changed.policy == {"max_height": 720}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("codecs", "av1", "h264"),
        ("codecs", "h264,vp9", "h264"),
        ("codecs", "h264,h264", "h264"),
        ("max_height", 1000, "1080"),
        ("max_height", "tall", "whole number"),
        ("keep_source", "forever", "verified"),
        ("keep_source", "0", "1 to 3650"),
        ("keep_source", "-3", "1 to 3650"),
        ("preset", "placebo-ish", "veryfast"),
        ("crf", 52, "between 0 and 51"),
        ("crf", True, "whole number"),
        ("per_title", "perhaps", "yes or no"),
        ("loudness", 3, "LUFS"),
        ("segment_seconds", 4, "There are: codecs"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_do(
    db: Database, field: str, value: object, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        _add(db, "Films", **{field: value})

    assert refused.value.details["field"] == field
    assert libraries.listing(db) == []


@pytest.mark.parametrize("name", ["", "   ", "a" * 61, "a\x00b"])
def test_a_library_needs_a_name(db: Database, name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 60"):
        _add(db, name)


@pytest.mark.parametrize("twin", ["Films", "films", " FILMS ", "Films!"])
def test_two_libraries_have_no_names_that_look_alike(db: Database, twin: str) -> None:
    _add(db, "Films")

    with pytest.raises(Conflict, match="choose another name"):
        _add(db, twin)


def test_a_library_is_renamed_and_keeps_its_address(db: Database) -> None:
    _add(db, "Films", crf=18)

    changed = libraries.change(db, SYSTEM, PLAIN, "films", {}, name="Old films")

    assert (changed.slug, changed.name, changed.policy) == (
        "films",
        "Old films",
        {"crf": 18},
    )


def test_a_title_belongs_to_one_library_at_most(db: Database, make: Builders) -> None:
    first, second = _add(db, "First", crf=18), _add(db, "Second", crf=25)
    title = make.title("Solaris")

    titles.edit(db, SYSTEM, title.slug, library_id=first.id)
    titles.edit(db, SYSTEM, title.slug, library_id=second.id)

    assert libraries.policy_of_title(db, title.id) == {"crf": 25}
    assert [each.titles for each in libraries.listing(db)] == [0, 1]


def test_a_title_without_a_library_is_encoded_as_the_settings_say(
    db: Database, make: Builders
) -> None:
    title = make.title("Solaris")

    assert libraries.of_title(db, title.id) is None
    assert libraries.policy_of_title(db, title.id) == {}


def test_titles_stay_when_their_library_is_removed(
    db: Database, make: Builders
) -> None:
    made, title = _add(db, "Films", crf=18), make.title("Solaris")
    titles.edit(db, SYSTEM, title.slug, library_id=made.id)

    removed = libraries.remove(db, SYSTEM, "films")

    assert removed.titles == 1
    assert titles.by_id(db, title.id).library_id is None


def test_a_library_that_somebody_just_removed_is_not_given_to_a_title(
    db: Database, make: Builders
) -> None:
    title = make.title("Solaris")

    with pytest.raises(NotFound, match="choose another"):
        titles.edit(db, SYSTEM, title.slug, library_id=4711)


def test_only_administrators_manage_libraries(db: Database, make: Builders) -> None:
    publisher = make.actor(Role.PUBLISHER)
    _add(db, "Films")

    acts: Mapping[str, object] = {"crf": 20}
    with pytest.raises(Forbidden):
        libraries.add(db, publisher, PLAIN, "More", acts)
    with pytest.raises(Forbidden):
        libraries.change(db, publisher, PLAIN, "films", acts)
    with pytest.raises(Forbidden):
        libraries.remove(db, publisher, "films")


def test_every_change_is_in_the_audit_log_and_none_is_not(db: Database) -> None:
    _add(db, "Films", crf=18)
    libraries.change(db, SYSTEM, PLAIN, "films", {"crf": 18})
    libraries.change(db, SYSTEM, PLAIN, "films", {"crf": 19})
    libraries.remove(db, SYSTEM, "films")

    rows = db.rows("select data from events where name = 'library:change'")

    assert ["made" in row["data"] for row in rows] == [True, False, False]
    assert len(rows) == 3
