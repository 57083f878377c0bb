"""Reviews of titles: asked for, approved by somebody else, sent back with a note."""

from dataclasses import replace

import pytest

from appliance.catalog import reviewing, titles
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, InvalidInput
from appliance.events import latest
from appliance.media import publishing
from appliance.permissions import Role
from appliance.settings import Settings
from tests.builders import Builders


@pytest.fixture
def strict(settings: Settings) -> Settings:
    return replace(settings, studio=replace(settings.studio, four_eyes=True))


def test_a_title_goes_through_a_review(
    db: Database, settings: Settings, make: Builders
) -> None:
    ida, eve = make.actor(Role.CONTRIBUTOR), make.actor(Role.PUBLISHER)
    title = make.title(state="ready", actor=ida)

    reviewing.ask(db, ida, title.slug, "Please look at the synopsis.")
    assert reviewing.ask(db, ida, title.slug).review == "asked"
    back = reviewing.send_back(db, eve, title.slug, "Too long.")
    assert (back.review, back.review_note) == ("rejected", "Too long.")
    reviewing.ask(db, ida, title.slug)
    reviewing.approve(db, settings, eve, title.slug)

    steps = [
        (each.decision, each.username) for each in reviewing.of_title(db, title.id)
    ]
    assert steps == [
        ("approved", eve.username),
        ("asked", ida.username),
        ("rejected", eve.username),
        ("asked", ida.username),
    ]
    assert [each.name for each in latest(db)] == ["title:review"] * 4


def test_who_asked_may_not_approve_where_four_eyes_are_wanted(
    db: Database, settings: Settings, strict: Settings, make: Builders
) -> None:
    eve = make.actor(Role.PUBLISHER)
    title = make.title(state="ready")
    reviewing.ask(db, eve, title.slug)

    with pytest.raises(Forbidden, match="somebody else"):
        reviewing.approve(db, strict, eve, title.slug)
    assert reviewing.approve(db, settings, eve, title.slug).review == "approved"


def test_only_what_is_approved_as_it_is_can_be_published_then(
    db: Database, strict: Settings, make: Builders
) -> None:
    ida, eve = make.actor(Role.PUBLISHER), make.actor(Role.PUBLISHER)
    title = make.title(state="ready")
    make.asset(title)
    with pytest.raises(Conflict, match="not approved"):
        publishing.publish(db, strict, eve, title.slug)
    reviewing.ask(db, ida, title.slug)
    reviewing.approve(db, strict, eve, title.slug)
    titles.edit(db, ida, title.slug, synopsis="Changed after the review.")

    with pytest.raises(Conflict, match="another review"):
        publishing.publish(db, strict, eve, title.slug)

    reviewing.ask(db, ida, title.slug)
    reviewing.approve(db, strict, eve, title.slug)
    assert publishing.publish(db, strict, eve, title.slug).state == "published"


def test_drafts_and_what_is_published_need_no_review(
    db: Database, make: Builders
) -> None:
    eve = make.actor(Role.PUBLISHER)
    for state in ("draft", "published", "archived", "processing"):
        with pytest.raises(Conflict, match="only what is ready"):
            reviewing.ask(db, eve, make.title(state=state).slug)


def test_nonsense_is_refused_and_a_decision_needs_a_question(
    db: Database, settings: Settings, make: Builders
) -> None:
    eve, ida = make.actor(Role.PUBLISHER), make.actor(Role.CONTRIBUTOR)
    title = make.title(state="ready", actor=ida)

    with pytest.raises(Conflict, match="Nobody waits"):
        reviewing.approve(db, settings, eve, title.slug)
    reviewing.ask(db, ida, title.slug)
    with pytest.raises(InvalidInput):
        reviewing.send_back(db, eve, title.slug, "  ")
    with pytest.raises(InvalidInput):
        reviewing.send_back(db, eve, title.slug, "x" * 2001)
    with pytest.raises(Forbidden):
        reviewing.approve(db, settings, ida, title.slug)
