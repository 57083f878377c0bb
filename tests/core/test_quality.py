"""Quality reports: what they hold back, who may let it pass, and what follows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from appliance.catalog import titles
from appliance.catalog.titles import Title, TitleState
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.events import Event, since
from appliance.media import assets, jobs, publishing, quality, reviews, versions
from appliance.media.assets import Asset
from appliance.media.jobs import JobKind
from appliance.media.quality import Review, Verdict
from appliance.permissions import SYSTEM, Actor, Role
from appliance.settings import Settings
from tests.builders import Builders

Film = Callable[..., tuple[Title, Asset]]

_LEVELS = {"passed": "pass", "warned": "warn", "failed": "fail"}


def report(verdict: str = "passed", **more: Any) -> dict[str, Any]:
    return {
        "verdict": verdict,
        "checks": [
            _check("frames", "pass", "Every frame is there."),
            _check(
                "black", _LEVELS[verdict], "The picture is black from 0:01 to 0:09."
            ),
        ],
        "tracks": [{"id": "a", "kind": "video", "name": "234p", "vmaf": 91.0}],
        "scores": {},
    } | more


def _check(name: str, level: str, sentence: str, track: str = "") -> dict[str, Any]:
    return {
        **{"id": name, "level": level, "sentence": sentence, "track": track},
        **{"value": None, "limit": None, "note": False},
    }


@pytest.fixture
def film(db: Database, make: Builders) -> Film:
    """``film("failed", state="ready")``: a title with a film and its report."""

    def made(
        verdict: str = "passed",
        *,
        state: str = "ready",
        actor: Actor | None = None,
        publishes: bool = False,
    ) -> tuple[Title, Asset]:
        title = make.title("Solaris", state=state, actor=actor)
        asset = make.asset(title)
        quality.record(
            db, asset.id, asset.version, report(verdict), publishes=publishes
        )
        return title, asset

    return made


@pytest.fixture
def reviewing(settings: Settings) -> Settings:
    """Settings that let nothing be published that nobody approved."""
    return replace(settings, quality=replace(settings.quality, review=True))


@pytest.fixture
def two_people(reviewing: Settings) -> Settings:
    return replace(reviewing, quality=replace(reviewing.quality, four_eyes=True))


def _state(db: Database, title: Title) -> TitleState:
    return titles.by_id(db, title.id).state


@pytest.mark.parametrize("verdict", ["passed", "warned"])
def test_a_film_that_passed_is_published(
    db: Database, settings: Settings, film: Film, verdict: str
) -> None:
    title, _ = film(verdict)

    assert publishing.publish(db, settings, SYSTEM, title.slug).state == "published"


def test_a_film_that_failed_is_not_published_and_says_why(
    db: Database, settings: Settings, film: Film
) -> None:
    title, _ = film("failed")

    with pytest.raises(Conflict) as refused:
        publishing.publish(db, settings, SYSTEM, title.slug)

    assert refused.value.code == "quality.failed"
    assert "black from 0:01 to 0:09" in refused.value.message
    assert _state(db, title) == "ready"


def test_a_failed_film_is_published_where_that_is_not_to_block(
    db: Database, settings: Settings, film: Film
) -> None:
    title, _ = film("failed")
    lenient = replace(settings, quality=replace(settings.quality, block=False))

    assert publishing.publish(db, lenient, SYSTEM, title.slug).state == "published"


def test_a_film_from_before_there_were_reports_is_published(
    db: Database, settings: Settings, make: Builders
) -> None:
    title = make.title(state="ready")
    make.asset(title)

    assert publishing.publish(db, settings, SYSTEM, title.slug).state == "published"


def test_where_somebody_must_approve_nothing_is_published_before(
    db: Database, reviewing: Settings, film: Film, make: Builders
) -> None:
    title, asset = film()
    boss = make.actor(Role.PUBLISHER)

    with pytest.raises(Conflict, match="waits for somebody to approve"):
        publishing.publish(db, reviewing, boss, title.slug)
    reviews.review(db, reviewing, boss, asset, 1, Review.APPROVED)

    assert publishing.publish(db, reviewing, boss, title.slug).state == "published"


def test_a_film_without_a_report_can_not_be_approved_and_says_what_to_do(
    db: Database, reviewing: Settings, make: Builders
) -> None:
    title = make.title(state="ready")
    asset = make.asset(title)

    with pytest.raises(Conflict, match="matinee quality check"):
        publishing.publish(db, reviewing, SYSTEM, title.slug)
    with pytest.raises(NotFound):
        reviews.review(db, reviewing, SYSTEM, asset, 1, Review.APPROVED)


def test_approving_publishes_what_was_to_be_published(
    db: Database, reviewing: Settings, film: Film
) -> None:
    title, asset = film(publishes=True)

    found = reviews.review(db, reviewing, SYSTEM, asset, 1, Review.APPROVED, "Fine.")

    assert (found.review, found.comment) == (Review.APPROVED, "Fine.")
    assert _state(db, title) == "published"


def test_approving_does_not_publish_what_nobody_wished_to(
    db: Database, reviewing: Settings, film: Film
) -> None:
    title, asset = film()

    reviews.review(db, reviewing, SYSTEM, asset, 1, Review.APPROVED)

    assert _state(db, title) == "ready"


def test_somebody_may_let_a_failed_film_pass_and_says_why(
    db: Database, settings: Settings, film: Film
) -> None:
    title, asset = film("failed")

    with pytest.raises(InvalidInput, match="Say why"):
        reviews.review(db, settings, SYSTEM, asset, 1, Review.APPROVED)
    reviews.review(db, settings, SYSTEM, asset, 1, Review.APPROVED, "Meant so.")

    assert publishing.publish(db, settings, SYSTEM, title.slug).state == "published"


def test_what_was_rejected_leaves_the_portal_and_stays_out(
    db: Database, settings: Settings, film: Film, make: Builders
) -> None:
    title, asset = film(state="published")
    boss = make.actor(Role.PUBLISHER, username="ada")

    reviews.review(db, settings, boss, asset, 1, Review.REJECTED, "The wrong cut.")

    assert _state(db, title) == "ready"
    with pytest.raises(Conflict, match="rejected by ada: The wrong cut"):
        publishing.publish(db, settings, SYSTEM, title.slug)


def test_rejecting_needs_a_reason(db: Database, settings: Settings, film: Film) -> None:
    _, asset = film()

    for comment in ("", "   ", "x" * 2001):
        with pytest.raises(InvalidInput):
            reviews.review(db, settings, SYSTEM, asset, 1, Review.REJECTED, comment)


def test_a_decision_is_in_the_audit_log(
    db: Database, settings: Settings, film: Film
) -> None:
    _, asset = film("warned")

    reviews.review(db, settings, SYSTEM, asset, 1, Review.APPROVED, "Fine.")

    (event,) = [each for each in since(db) if each.name == Event.REVIEW_DECIDE]
    assert event.subject == f"asset/{asset.public_id}"
    assert event.data["decision"] == "approved"
    assert event.data["verdict"] == "warned"


def test_contributors_do_not_decide(
    db: Database, settings: Settings, film: Film, make: Builders
) -> None:
    _, asset = film()

    with pytest.raises(Forbidden):
        reviews.review(
            db, settings, make.actor(Role.CONTRIBUTOR), asset, 1, Review.APPROVED
        )


def test_with_four_eyes_whoever_brought_a_film_does_not_approve_it(
    db: Database, two_people: Settings, film: Film, make: Builders
) -> None:
    ada, bob = make.actor(Role.PUBLISHER), make.actor(Role.PUBLISHER)
    title, asset = film(actor=ada)

    with pytest.raises(Forbidden, match="somebody else"):
        reviews.review(db, two_people, ada, asset, 1, Review.APPROVED)
    reviews.review(db, two_people, bob, asset, 1, Review.APPROVED)

    assert publishing.publish(db, two_people, ada, title.slug).state == "published"


def test_with_four_eyes_whoever_uploaded_or_started_the_job_does_not_approve_it(
    db: Database, two_people: Settings, film: Film, make: Builders
) -> None:
    ada, bob = make.actor(Role.ADMINISTRATOR), make.actor(Role.ADMINISTRATOR)
    _, asset = film()
    db.table("uploads").insert(
        {
            **{"public_id": "u", "account_id": ada.account_id, "asset_id": asset.id},
            **{"origin": "browser", "filename": "film.mp4", "bytes": 1},
            **{"state": "finished", "created_at": db.now(), "updated_at": db.now()},
        }
    )
    db.conn.commit()
    jobs.create(db, bob, asset.id, kind=JobKind.REPLACE)

    for each in (ada, bob):
        with pytest.raises(Forbidden):
            reviews.review(db, two_people, each, asset, 1, Review.APPROVED)


def test_with_four_eyes_a_command_does_not_count_as_a_person(
    db: Database, two_people: Settings, film: Film
) -> None:
    _, asset = film()

    with pytest.raises(Forbidden, match="in the Studio"):
        reviews.review(db, two_people, SYSTEM, asset, 1, Review.APPROVED)


def test_captions_that_are_added_leave_the_decision_as_it_is(
    db: Database, reviewing: Settings, film: Film
) -> None:
    title, asset = film()
    reviews.review(db, reviewing, SYSTEM, asset, 1, Review.APPROVED)

    number = versions.change(db, SYSTEM, asset.id, reason="captions")

    assert number == 2
    found = quality.latest(db, assets.by_id(db, asset.id))
    assert found is not None
    assert (found.version, found.review) == (2, Review.APPROVED)
    assert publishing.publish(db, reviewing, SYSTEM, title.slug).state == "published"


def test_what_is_added_is_added_to_the_report(
    db: Database, settings: Settings, film: Film
) -> None:
    _, asset = film()
    reviews.review(db, settings, SYSTEM, asset, 1, Review.APPROVED)
    number = versions.change(db, SYSTEM, asset.id, reason="supplement")
    more = report(
        "warned",
        checks=[_check("sync", "warn", "It comes 50 ms later.", "audio-fr-2")],
        tracks=[{"id": "b", "kind": "audio", "name": "audio-fr-2"}],
    )

    quality.record(db, asset.id, number, more, adds=True)

    found = quality.of_version(db, asset.id, number)
    assert found is not None
    assert found.verdict is Verdict.WARNED
    assert [each["id"] for each in found.checks] == ["sync", "frames", "black"]
    assert [each["name"] for each in found.report["tracks"]] == ["234p", "audio-fr-2"]
    # It is worse than what was approved.
    assert found.review is Review.NONE


def test_a_published_title_is_withheld_until_its_new_film_is_approved(
    db: Database, reviewing: Settings, film: Film
) -> None:
    title, asset = film(state="published")
    quality.record(db, asset.id, 1, report("warned"))

    reviews.withhold(db, reviewing, asset.id)
    assert _state(db, title) == "ready"
    reviews.review(db, reviewing, SYSTEM, asset, 1, Review.APPROVED)

    assert _state(db, title) == "published"


def test_lists_show_what_waits_and_only_what_one_may_see(
    db: Database, settings: Settings, film: Film, make: Builders
) -> None:
    film("failed")
    _, approved = film()
    reviews.review(db, settings, SYSTEM, approved, 1, Review.APPROVED)

    waiting = quality.listing(db, SYSTEM, review=Review.NONE)

    assert [(each.verdict, each.failed) for each in waiting] == [(Verdict.FAILED, 1)]
    assert len(quality.listing(db, SYSTEM)) == 2
    assert quality.listing(db, make.actor(Role.CONTRIBUTOR)) == []
