"""Markers: what somebody set stays, what was found is replaced by what is found."""

import json

import pytest

from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.media import markers, timecode
from appliance.media.markers import MarkerKind, MarkerOrigin, Stretch
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import Matinee

INTRO = Stretch(MarkerKind.INTRO, 1.0, 4.0)


@pytest.fixture
def film(make: Builders) -> tuple[Title, int]:
    title = make.title("Pilot")
    return title, make.asset(title, duration=10.0).id


def test_what_was_found_gives_way_to_what_is_found_next(
    db: Database, film: tuple[Title, int]
) -> None:
    _, asset = film
    kinds = (MarkerKind.INTRO, MarkerKind.CREDITS)
    markers.found(db, SYSTEM, asset, MarkerOrigin.DETECTED, kinds, [INTRO])

    later = Stretch(MarkerKind.CREDITS, 8.0, 60.0, confidence=0.5)
    left = markers.found(db, SYSTEM, asset, MarkerOrigin.DETECTED, kinds, [later])

    assert [(each.kind, each.ends_at) for each in left] == [(MarkerKind.CREDITS, 10.0)]


def test_what_somebody_set_is_left_alone(db: Database, film: tuple[Title, int]) -> None:
    _, asset = film
    kinds = (MarkerKind.INTRO,)
    [first] = markers.found(db, SYSTEM, asset, MarkerOrigin.DETECTED, kinds, [INTRO])
    wanted = Stretch(MarkerKind.INTRO, 0.5, 3.5, " The song ")
    changed = markers.change(db, SYSTEM, first.public_id, wanted)

    left = markers.found(db, SYSTEM, asset, MarkerOrigin.DETECTED, kinds, [INTRO])

    assert left == [changed]
    assert (changed.origin, changed.label) == (MarkerOrigin.EDITED, "The song")


def test_chapters_of_the_file_leave_the_intro_alone(
    db: Database, film: tuple[Title, int]
) -> None:
    _, asset = film
    markers.add(db, SYSTEM, asset, INTRO)
    chapters = [
        Stretch(MarkerKind.CHAPTER, 0, 5, "One"),
        Stretch(MarkerKind.CHAPTER, 5, 10, "Two"),
    ]

    left = markers.found(
        db, SYSTEM, asset, MarkerOrigin.SOURCE, (MarkerKind.CHAPTER,), chapters
    )

    assert [each.label for each in left] == ["One", "", "Two"]


@pytest.mark.parametrize(
    ("starts", "ends", "label"),
    [(4, 4, ""), (5, 4, ""), (-1, 4, ""), (1, 11, ""), (1, 2, "x" * 201)],
)
def test_a_marker_that_makes_no_sense_is_refused(
    db: Database, film: tuple[Title, int], starts: float, ends: float, label: str
) -> None:
    with pytest.raises(InvalidInput):
        markers.add(db, SYSTEM, film[1], Stretch(MarkerKind.INTRO, starts, ends, label))
    assert markers.of_asset(db, film[1]) == []


def test_others_may_not_mark(
    db: Database, make: Builders, film: tuple[Title, int]
) -> None:
    with pytest.raises(Forbidden):
        markers.add(db, make.actor(Role.CONTRIBUTOR), film[1], INTRO)


def test_a_marker_can_be_removed_once(db: Database, film: tuple[Title, int]) -> None:
    made = markers.add(db, SYSTEM, film[1], INTRO)

    markers.remove(db, SYSTEM, made.public_id)

    with pytest.raises(NotFound):
        markers.remove(db, SYSTEM, made.public_id)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("42", 42), ("1:42.5", 102.5), ("1:02:03", 3723), ("0:00:01,250", 1.25)],
)
def test_times_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert timecode.seconds(text) == seconds
    assert timecode.seconds(timecode.clock(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1:2:3:4", "soon", "1:", "9" * 400])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        timecode.seconds(text)


def test_the_command_marks_lists_changes_and_removes(
    matinee: Matinee, film: tuple[Title, int]
) -> None:
    slug = film[0].slug
    made = json.loads(
        matinee("marker", "add", slug, "intro", "0:01", "4", "--json").stdout
    )
    changed = matinee("marker", "change", made["id"], "recap", "0", "2.5")
    assert changed.exit_code == 0, changed.stderr

    listed = json.loads(matinee("marker", "list", slug, "--json").stdout)
    assert [(each["kind"], each["end"]) for each in listed] == [("recap", 2.5)]

    assert matinee("marker", "remove", made["id"], "--yes").exit_code == 0
    assert json.loads(matinee("marker", "list", slug, "--json").stdout) == []


def test_the_command_says_why_nothing_can_be_found(
    matinee: Matinee, make: Builders, film: tuple[Title, int]
) -> None:
    other = make.title("Second night")
    make.asset(other)

    refused = matinee("marker", "detect", film[0].slug, other.slug)
    alone = matinee("marker", "detect", film[0].slug)

    assert refused.exit_code == 3
    assert "Nobody has listened to “Pilot” yet" in refused.stderr
    assert alone.exit_code == 2
