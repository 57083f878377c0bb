"""Episodes are watched by what their series is: state, rating, windows and rights."""

from dataclasses import replace

import pytest

from appliance.access import availability, entitlements
from appliance.access.evaluate import Decision, Reason
from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.clock import FixedClock
from appliance.db import Database, write
from appliance.errors import InvalidInput, NotFound
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import permission
from appliance.settings import Settings
from tests.builders import Builders


@pytest.fixture
def ada(make: Builders) -> Actor:
    return make.actor(username="ada")


@pytest.fixture
def whole(make: Builders) -> Title:
    return make.title("The Saga", kind="series", rating="FSK 12")


@pytest.fixture
def part(make: Builders, whole: Title) -> Title:
    return make.title(
        "The Beginning",
        kind="episode",
        parent_id=whole.id,
        season_number=1,
        episode_number=1,
    )


def _decide(db: Database, settings: Settings, actor: Actor, title: Title) -> Decision:
    return permission.decide(db, settings, actor, titles.by_id(db, title.id))


def _change(db: Database, title: Title, **columns: object) -> None:
    with write(db):
        db.table("titles").update(title.id, columns)


def _limit(db: Database, actor: Actor, age: int) -> Actor:
    db.conn.execute(
        "update profiles set rating_limit = ? where id = ?", (age, actor.profile_id)
    )
    return replace(actor, rating_limit=age)


def _seen(db: Database, actor: Actor, title: Title) -> bool:
    try:
        titles.by_slug(db, actor, title.slug)
    except NotFound:
        return False
    return True


def test_an_episode_plays_only_while_its_series_is_published(
    db: Database, settings: Settings, ada: Actor, whole: Title, part: Title
) -> None:
    assert _decide(db, settings, ada, part).allowed

    _change(db, whole, state="archived")

    decision = _decide(db, settings, ada, part)
    assert decision.reasons == (Reason.TITLE_UNAVAILABLE,)
    assert not _seen(db, ada, part)


def test_what_lies_in_the_trash_plays_for_nobody(
    db: Database, settings: Settings, make: Builders, whole: Title, part: Title
) -> None:
    editor = make.actor(Role.PUBLISHER)
    _change(db, whole, state="archived", removed_at=db.now())

    for title in (whole, part):
        decision = _decide(db, settings, editor, title)
        assert decision.reasons == (Reason.TITLE_UNAVAILABLE,)


@pytest.mark.parametrize(
    ("of_series", "own", "age", "shown"),
    [
        ("FSK 12", "", 12, True),
        ("FSK 12", "", 6, False),
        ("FSK 6", "FSK 16", 12, False),
        ("FSK 16", "FSK 6", 12, False),
        ("FSK 6", "FSK 6", 6, True),
        ("", "FSK 6", 12, False),
        ("", "", 18, False),
    ],
)
def test_an_age_limit_counts_for_an_episode_and_its_series(
    db: Database,
    settings: Settings,
    make: Builders,
    ada: Actor,
    of_series: str,
    own: str,
    age: int,
    shown: bool,
) -> None:
    series = make.title("Series", kind="series", rating=of_series)
    episode = make.title("Part", kind="episode", parent_id=series.id, rating=own)
    young = _limit(db, ada, age)

    assert _seen(db, young, episode) is shown
    # What is seen and what is played is one and the same.
    assert _decide(db, settings, young, episode).allowed is shown


def test_a_rating_that_changes_counts_for_what_has_none_of_its_own(
    db: Database, ada: Actor, whole: Title, part: Title
) -> None:
    young = _limit(db, ada, 12)
    assert _seen(db, young, part)

    titles.edit(db, SYSTEM, whole.slug, rating="FSK 18")

    assert not _seen(db, young, part)


def test_an_episode_without_windows_has_those_of_its_series(
    db: Database,
    settings: Settings,
    ada: Actor,
    whole: Title,
    part: Title,
    clock: FixedClock,
) -> None:
    availability.add(db, SYSTEM, whole.slug, starts_at="2026-02-01", max_height=720)
    decision = _decide(db, settings, ada, part)
    assert decision.reasons == (Reason.NOT_YET_AVAILABLE,)
    assert not _seen(db, ada, part)

    availability.add(db, SYSTEM, part.slug, ends_at="2026-03-01", max_height=480)
    decision = _decide(db, settings, ada, part)
    assert (decision.allowed, decision.limits.max_height) == (True, 480)
    assert _seen(db, ada, part)

    clock.advance(days=90)
    assert not _seen(db, ada, part)
    assert _decide(db, settings, ada, part).reasons == (Reason.NO_LONGER_AVAILABLE,)


def test_a_right_to_a_series_is_one_to_its_episodes(
    db: Database, settings: Settings, ada: Actor, whole: Title, part: Title
) -> None:
    for each in entitlements.listing(db):
        entitlements.withdraw(db, SYSTEM, each.id)
    assert _decide(db, settings, ada, part).reasons == (Reason.NOT_ENTITLED,)

    entitlements.grant(db, SYSTEM, "account:ada", whole.slug)

    assert _decide(db, settings, ada, part).allowed


def test_a_right_to_a_collection_is_one_to_what_is_in_it(
    db: Database,
    settings: Settings,
    make: Builders,
    ada: Actor,
    whole: Title,
    part: Title,
) -> None:
    for each in entitlements.listing(db):
        entitlements.withdraw(db, SYSTEM, each.id)
    film, other = make.title("In it"), make.title("Not in it")
    now = db.now()
    with write(db):
        collection = db.table("collections").insert(
            {
                "public_id": "c1",
                "slug": "classics",
                "name": "Classics",
                "created_at": now,
                "updated_at": now,
            }
        )
        for title in (film, whole):
            db.table("collection_titles").insert(
                {"collection_id": collection.last_pk, "title_id": title.id}
            )

    granted = entitlements.grant(db, SYSTEM, "account:ada", collection="classics")

    assert (granted.title, granted.collection) == (None, "classics")
    assert _decide(db, settings, ada, film).allowed
    assert _decide(db, settings, ada, part).allowed
    assert not _decide(db, settings, ada, other).allowed
    db.conn.execute("delete from collections")
    assert entitlements.listing(db) == []
    assert not _decide(db, settings, ada, film).allowed


def test_a_right_is_to_one_thing_that_there_is(db: Database, whole: Title) -> None:
    with pytest.raises(InvalidInput, match="not to both"):
        entitlements.grant(db, SYSTEM, "everyone", whole.slug, collection="x")
    with pytest.raises(NotFound, match="no collection"):
        entitlements.grant(db, SYSTEM, "everyone", collection="x")
