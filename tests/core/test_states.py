"""The states of a title and who moves it."""

from functools import partial

import pytest

from appliance.catalog import states, titles
from appliance.catalog.titles import Title, TitleState
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, Forbidden
from appliance.events import Event, since
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders

# Of which quality films are is no matter of states.
publish = partial(states.publish, passes=lambda db, title: None)


def test_a_film_goes_from_draft_to_published(db: Database, clock: FixedClock) -> None:
    title = titles.create(db, SYSTEM, "Solaris")

    seen = [states.start_processing(db, SYSTEM, title.id).state]
    ready = states.processed(db, SYSTEM, title.id, 596.5)
    clock.advance(hours=1)
    published = publish(db, SYSTEM, title.slug)

    assert [*seen, ready.state, published.state] == [
        TitleState.PROCESSING,
        TitleState.READY,
        TitleState.PUBLISHED,
    ]
    assert ready.runtime_seconds == 596.5
    assert published.published_at == db.now()
    moves = [each.data for each in since(db) if each.name == Event.TITLE_STATE]
    assert [(move["before"], move["after"]) for move in moves] == [
        ("draft", "processing"),
        ("processing", "ready"),
        ("ready", "published"),
    ]


def test_a_first_film_that_fails_leaves_a_draft(db: Database) -> None:
    title = titles.create(db, SYSTEM, "Solaris")
    states.start_processing(db, SYSTEM, title.id)

    failed = states.processing_failed(db, SYSTEM, title.id)

    assert failed.state is TitleState.DRAFT


@pytest.mark.parametrize("state", ["ready", "published", "archived"])
@pytest.mark.parametrize("works", [True, False])
def test_a_title_keeps_its_state_while_a_new_version_is_made(
    db: Database, make: Builders, state: str, works: bool
) -> None:
    title = make.title(state=state)
    make.asset(title)

    states.start_processing(db, SYSTEM, title.id)
    if works:
        after = states.processed(db, SYSTEM, title.id, 10.0)
    else:
        after = states.processing_failed(db, SYSTEM, title.id)

    assert after.state == state


def test_a_failure_falls_back_to_the_version_that_plays(
    db: Database, make: Builders
) -> None:
    title = make.title(state="processing")
    make.asset(title)

    after = states.processing_failed(db, SYSTEM, title.id)

    assert after.state is TitleState.READY


@pytest.mark.parametrize("state", ["draft", "processing", "archived"])
def test_what_is_not_ready_is_not_published(
    db: Database, make: Builders, state: str
) -> None:
    title = make.title(state=state)

    with pytest.raises(Conflict) as refused:
        publish(db, SYSTEM, title.slug)

    assert title.name in refused.value.message
    assert titles.by_id(db, title.id).state == state


def test_what_its_film_forbids_is_not_published(db: Database, make: Builders) -> None:
    title = make.title(state="ready")

    def never(db: Database, title: Title) -> None:
        raise Conflict("test.never", f"“{title.name}” is not good enough.")

    with pytest.raises(Conflict, match="not good enough"):
        states.publish(db, SYSTEM, title.slug, passes=never)

    assert titles.by_id(db, title.id).state == "ready"


def test_publishing_twice_changes_nothing(db: Database, make: Builders) -> None:
    title = make.title(state="published")

    assert publish(db, SYSTEM, title.slug) == title
    assert since(db) == []


def test_a_title_that_comes_back_is_no_novelty(
    db: Database, make: Builders, clock: FixedClock
) -> None:
    title = make.title(state="published")
    clock.advance(days=100)

    states.unpublish(db, SYSTEM, title.slug)
    again = publish(db, SYSTEM, title.slug)

    assert again.published_at == title.published_at


def test_the_archive_gives_back_what_was_there(db: Database, make: Builders) -> None:
    with_film, without = make.title("With"), make.title("Without", state="draft")
    make.asset(with_film)

    for each in (with_film, without):
        states.archive(db, SYSTEM, each.slug)
    restored = [
        states.restore(db, SYSTEM, each.slug).state for each in (with_film, without)
    ]

    assert restored == [TitleState.READY, TitleState.DRAFT]


def test_what_is_being_processed_is_not_archived_and_what_is_not_is_not_restored(
    db: Database, make: Builders
) -> None:
    with pytest.raises(Conflict):
        states.archive(db, SYSTEM, make.title(state="processing").slug)
    with pytest.raises(Conflict):
        states.restore(db, SYSTEM, make.title(state="ready").slug)


def test_a_contributor_uploads_but_does_not_publish(
    db: Database, make: Builders
) -> None:
    ada = make.actor(Role.CONTRIBUTOR)
    title = titles.create(db, ada, "Hers")

    states.start_processing(db, ada, title.id)
    states.processed(db, ada, title.id, 10.0)

    for move in (publish, states.unpublish, states.archive, states.restore):
        with pytest.raises(Forbidden):
            move(db, ada, title.slug)
