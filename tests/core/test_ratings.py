"""Ratings: which age a text stands for, and the age limits of profiles."""

import pytest

from appliance import ratings
from appliance.accounts import profiles
from appliance.db import Database
from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.events import Event, since
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("0", 0),
        ("12", 12),
        ("16+", 16),
        ("ab 12", 12),
        ("FSK 6", 6),
        ("fsk-16", 16),
        ("FSK12", 12),
        ("FSK ab 18", 18),
        ("FSK ab 6 Jahren", 6),
        ("USK 18", 18),
        ("PEGI 7", 7),
        ("PEGI:16", 16),
        ("U", 0),
        ("BBFC U", 0),
        ("BBFC PG", 8),
        ("12A", 12),
        ("BBFC 15", 15),
        ("R18", 18),
        ("G", 0),
        ("PG", 10),
        ("MPA PG", 10),
        ("PG-13", 13),
        ("mpaa pg-13", 13),
        ("R", 17),
        ("NC-17", 18),
        ("TV-Y", 0),
        ("TV-Y7", 7),
        ("TV-Y7-FV", 7),
        ("TV-G", 0),
        ("TV-PG", 10),
        ("TV-14", 14),
        ("tv-ma", 17),
        ("-10", 10),
        ("CSA -12", 12),
        ("TP", 0),
        ("Tous  publics", 0),
    ],
)
def test_a_rating_stands_for_an_age(text: str, age: int) -> None:
    assert ratings.age(text) == age
    assert ratings.age(f" {text} ") == age


@pytest.mark.parametrize(
    "text",
    ["", "unrated", "NR", "99", "FSK", "FSK family", "PEGI 22", "twelve", "12-16", "-"],
)
def test_a_text_that_is_no_rating_stands_for_none(text: str) -> None:
    assert ratings.age(text) is None


def test_the_age_limit_of_a_profile_is_set_and_lifted(
    db: Database, make: Builders
) -> None:
    make.actor(username="ada")
    profile = profiles.named(db, "ada")

    assert profiles.limit(db, SYSTEM, profile.public_id, 12).rating_limit == 12
    assert profiles.named(db, "ada", "ada").rating_limit == 12
    event = since(db)[-1]
    assert (event.name, event.data["age"]) == (Event.PROFILE_LIMIT, 12)

    profiles.limit(db, SYSTEM, profile.public_id, None)
    assert profiles.named(db, "ada", profile.public_id).rating_limit is None


def test_limits_that_make_no_sense_or_are_not_ones_own_are_refused(
    db: Database, make: Builders
) -> None:
    ada = make.actor(username="ada")
    profile = profiles.named(db, "ada")

    for age in (-1, 22):
        with pytest.raises(InvalidInput, match="from 0 to 21"):
            profiles.limit(db, SYSTEM, profile.public_id, age)
    with pytest.raises(NotFound):
        profiles.limit(db, SYSTEM, "ffff", 12)
    with pytest.raises(NotFound, match="There are: ada"):
        profiles.named(db, "ada", "Kids")
    for somebody in (ada, make.actor(Role.PUBLISHER)):
        with pytest.raises(Forbidden):
            profiles.limit(db, somebody, profile.public_id, 18)
