"""The Studio's list of titles: sifted, ordered, and of one mind with the stages."""

from typing import Any

import pytest

from appliance.access import availability
from appliance.catalog import sieve, stages, titles
from appliance.catalog.sieve import Sieve
from appliance.catalog.titles import Title
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import InvalidInput
from appliance.permissions import SYSTEM, Actor, Role
from tests.builders import Builders


def names(db: Database, _actor: Actor = SYSTEM, /, **by: str) -> list[str]:
    found = sieve.listing(db, _actor, Sieve(**by))
    return [each.title.name for each in found]


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ({}, ["Night Shift", "Harvest", "Orchard"]),
        ({"words": "orch"}, ["Harvest", "Orchard"]),
        ({"words": "ext-1"}, ["Orchard"]),
        ({"words": '"(*'}, []),
        ({"stage": "draft"}, ["Night Shift"]),
        ({"genre": "drama"}, ["Orchard"]),
        ({"creator": "ida"}, ["Night Shift"]),
        ({"language": "DE"}, ["Harvest"]),
        ({"lacks": "synopsis"}, ["Night Shift", "Orchard"]),
        ({"lacks": "film"}, ["Night Shift", "Harvest"]),
        ({"lacks": "captions"}, ["Night Shift", "Harvest"]),
        ({"lacks": "artwork"}, ["Night Shift", "Harvest", "Orchard"]),
        ({"lacks": "year"}, ["Night Shift", "Harvest"]),
        ({"stage": "ready", "language": "de"}, ["Harvest"]),
        ({"tag": "Summer"}, ["Orchard"]),
    ],
)
def test_the_list_is_sifted_by_what_somebody_looks_for(
    db: Database, make: Builders, by: dict[str, Any], found: list[str]
) -> None:
    ida = make.actor(Role.CONTRIBUTOR, username="ida")
    orchard = make.title("Orchard", genres=("Drama",), external_id="ext-1", year=2020)
    make.asset(orchard, captions=("en",))
    titles.edit(db, SYSTEM, orchard.slug, tags=["summer"])
    make.title("Harvest", state="ready", synopsis="In the orchard.", language="de")
    make.title("Night Shift", state="draft", actor=ida)

    assert names(db, **by) == found
    assert sieve.count(db, SYSTEM, Sieve(**by)) == len(found)


def test_a_sieve_of_nonsense_is_refused_and_a_page_forgives_it() -> None:
    with pytest.raises(InvalidInput, match="stage"):
        Sieve.read({"stage": "'; drop table titles"})

    assert Sieve.read({"stage": "nonsense", "page": "x"}, strict=False) == Sieve()


def test_contributors_find_what_is_theirs_and_what_is_published(
    db: Database, make: Builders
) -> None:
    ida = make.actor(Role.CONTRIBUTOR)
    make.title("Published")
    make.title("Hers", state="draft", actor=ida)
    make.title("Somebody's", state="draft")

    assert names(db, ida) == ["Hers", "Published"]


WINDOWS: tuple[tuple[tuple[str | None, str | None], ...], ...] = (
    (),
    (("2025-12-01", "2026-02-01"),),
    (("2026-02-01", None),),
    (("2025-01-01", "2025-02-01"),),
    (("2025-01-01", "2025-02-01"), ("2026-03-01", "2026-04-01")),
    (("2025-01-01", None), ("2026-03-01", "2026-04-01")),
)


@pytest.mark.parametrize("windows", WINDOWS)
@pytest.mark.parametrize("state", ["draft", "ready", "published", "archived"])
@pytest.mark.parametrize("review", ["", "asked", "approved"])
def test_the_list_and_the_stages_say_the_same(
    db: Database,
    make: Builders,
    windows: tuple[tuple[str | None, str | None], ...],
    state: str,
    review: str,
) -> None:
    title = make.title(state=state, review=review)
    for starts_at, ends_at in windows:
        availability.add(db, SYSTEM, title.slug, starts_at=starts_at, ends_at=ends_at)
    title = titles.by_id(db, title.id)
    said = stages.stage(title, availability.listing(db, title.slug), db.now())

    assert sieve.listing(db, SYSTEM, Sieve())[0].stage == said
    assert names(db, stage=said) == [title.name]


def test_an_episode_leaves_with_its_series_and_has_windows_of_its_own(
    db: Database, make: Builders
) -> None:
    series = make.title("Harbour", kind="series")
    part: dict[str, Any] = {
        "kind": "episode",
        "parent_id": series.id,
        "season_number": 1,
    }
    first = make.title("One", episode_number=1, **part)
    second = make.title("Two", episode_number=2, **part)
    availability.add(db, SYSTEM, series.slug, ends_at="2026-01-20")
    availability.add(db, SYSTEM, second.slug, ends_at="2026-06-01")

    leaving = sieve.listing(db, SYSTEM, Sieve(shows="leaving"), order="leaves")

    assert [each.title.name for each in leaving] == ["Harbour", "One"]
    assert leaving[1].parent == "Harbour"
    assert first.id != second.id


def test_who_holds_the_same_film_is_told(db: Database, make: Builders) -> None:
    one, other, third = (make.title(name) for name in ("One", "Other", "Third"))
    for title, digest in ((one, "aa"), (other, "aa"), (third, "bb")):
        make.asset(title, source_sha256=digest)

    assert names(db, shows="twins") == ["Other", "One"]


def test_titles_are_ordered_as_somebody_likes(
    db: Database, make: Builders, clock: FixedClock
) -> None:
    made: list[Title] = []
    for name, year in (("b", 2001), ("A", 2003), ("c", 2002)):
        made.append(make.title(name, year=year))
        clock.advance(minutes=1)
    titles.edit(db, SYSTEM, made[0].slug, rating="6")

    def by(order: str) -> str:
        found = sieve.listing(db, SYSTEM, Sieve(), order=order)
        return "".join(each.title.name for each in found)

    assert [by(each) for each in ("newest", "changed", "name", "year", "x")] == [
        *("cAb", "bcA", "Abc", "Acb"),
        "cAb",
    ]
