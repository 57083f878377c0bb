"""Webhooks: signed, told again until somebody takes it, and never lost."""

import hmac
import json
from collections.abc import Iterator

import pytest
from werkzeug.wrappers import Request, Response

from appliance.catalog import libraries, titles
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import ConfigError, Forbidden, InvalidInput, NotFound
from appliance.events import Event, since
from appliance.operations import deliveries, webhooks
from appliance.operations.deliveries import WAITS, DeliveryState
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from jobs import messenger
from tests.builders import Builders
from tests.doubles.server import Mood, Service, served


def _taken(_request: Request) -> Response:
    return Response("thank you")


@pytest.fixture
def intranet() -> Iterator[Service]:
    with served(_taken) as service:
        yield service


def tell(db: Database, settings: Settings) -> int:
    deliveries.gather(db)
    return deliveries.send_due(db, settings)


def test_what_happens_reaches_the_hook_with_a_signature(
    db: Database, settings: Settings, intranet: Service
) -> None:
    hook, secret = webhooks.add(db, settings, SYSTEM, intranet.url, ["title:*"])
    titles.create(db, SYSTEM, "Sintel")

    tell(db, settings)

    (body,) = intranet.bodies
    told = json.loads(body)
    assert (told["event"], told["data"]["name"]) == ("title:create", "Sintel")
    headers = intranet.seen[0].headers
    moment, proof = (
        part.partition("=")[2] for part in headers["Matinee-Signature"].split(",")
    )
    made = hmac.new(secret.encode(), f"{moment}.{body.decode()}".encode(), "sha256")
    assert hmac.compare_digest(proof, made.hexdigest())
    (one,) = deliveries.listing(db, SYSTEM, hook.id)
    assert (one.state, one.status, one.answer) == ("delivered", 200, "thank you")
    assert headers["Matinee-Delivery"] == one.id == told["id"]


def test_a_hook_hears_only_what_it_asked_for_and_nothing_of_the_past(
    db: Database, settings: Settings, intranet: Service
) -> None:
    libraries.add(db, SYSTEM, settings.encode, "Before", {})
    webhooks.add(db, settings, SYSTEM, intranet.url, ["library:*"])
    titles.create(db, SYSTEM, "Sintel")
    libraries.add(db, SYSTEM, settings.encode, "After", {})

    tell(db, settings)

    assert [json.loads(body)["data"]["name"] for body in intranet.bodies] == ["After"]


def test_the_secret_is_kept_sealed(
    db: Database, settings: Settings, intranet: Service
) -> None:
    _, secret = webhooks.add(db, settings, SYSTEM, intranet.url)

    kept = db.value("select secret from webhooks")
    assert secret not in kept
    assert all(secret not in json.dumps(dict(each.data)) for each in since(db))


@pytest.mark.parametrize("mood", [Mood.FAILS, Mood.REFUSES, Mood.MOVED, Mood.HANGS_UP])
def test_a_delivery_is_tried_again_until_it_is_taken(
    db: Database,
    settings: Settings,
    clock: FixedClock,
    intranet: Service,
    mood: Mood,
) -> None:
    hook, _ = webhooks.add(db, settings, SYSTEM, intranet.url, ["title:create"])
    titles.create(db, SYSTEM, "Sintel")
    intranet.mood = mood
    tell(db, settings)
    (waiting,) = deliveries.listing(db, SYSTEM, hook.id)

    assert waiting.state is DeliveryState.WAITING
    assert tell(db, settings) == 0
    intranet.mood = Mood.WELL
    clock.advance(seconds=WAITS[0].total_seconds())
    tell(db, settings)

    (taken,) = deliveries.listing(db, SYSTEM, hook.id)
    assert (taken.id, taken.state, taken.attempts) == (waiting.id, "delivered", 2)


def test_one_that_nobody_takes_is_given_up_and_can_be_sent_again(
    db: Database, settings: Settings, clock: FixedClock, intranet: Service
) -> None:
    hook, _ = webhooks.add(db, settings, SYSTEM, intranet.url, ["title:create"])
    titles.create(db, SYSTEM, "Sintel")
    intranet.mood = Mood.FAILS
    tell(db, settings)
    for wait in WAITS:
        clock.advance(seconds=wait.total_seconds())
        tell(db, settings)
    (failed,) = deliveries.listing(db, SYSTEM, hook.id)

    assert (failed.state, failed.attempts) == (DeliveryState.FAILED, len(WAITS) + 1)
    assert [each.name for each in since(db)][-1] == Event.WEBHOOK_FAIL
    intranet.mood = Mood.WELL
    deliveries.replay(db, SYSTEM, hook.id, failed.id)
    tell(db, settings)
    assert deliveries.listing(db, SYSTEM, hook.id)[0].state is DeliveryState.DELIVERED


def test_a_hook_that_is_off_misses_what_happens(
    db: Database, settings: Settings, intranet: Service
) -> None:
    hook, _ = webhooks.add(db, settings, SYSTEM, intranet.url, ["title:create"])
    webhooks.change(db, SYSTEM, hook.id, enabled=False)
    titles.create(db, SYSTEM, "Unseen")
    tell(db, settings)
    webhooks.change(db, SYSTEM, hook.id, enabled=True)
    titles.create(db, SYSTEM, "Seen")

    tell(db, settings)

    assert [json.loads(body)["data"]["name"] for body in intranet.bodies] == ["Seen"]


def test_a_test_is_sent_at_once(
    db: Database, settings: Settings, intranet: Service
) -> None:
    hook, _ = webhooks.add(db, settings, SYSTEM, intranet.url, ["title:create"])

    deliveries.test(db, SYSTEM, hook.id)
    messenger.tell(db, settings)

    assert json.loads(intranet.bodies[0])["event"] == "webhook:test"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "intranet",
        "ftp://intranet.example/x",
        "http://intranet.example/x",
        "https://user:password@intranet.example/",
        "https://intranet.example/" + "x" * 500,
        "https://[half",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_cannot_be_told_is_refused(
    db: Database, settings: Settings, url: str
) -> None:
    with pytest.raises((InvalidInput, ConfigError)):
        webhooks.add(db, settings, SYSTEM, url)

    assert webhooks.listing(db, SYSTEM) == []


def test_an_event_that_does_not_exist_is_refused(
    db: Database, settings: Settings, intranet: Service
) -> None:
    with pytest.raises(InvalidInput, match="film:begin"):
        webhooks.add(db, settings, SYSTEM, intranet.url, ["film:begin"])


def test_only_who_may_sees_and_changes_hooks(
    db: Database, settings: Settings, intranet: Service, make: Builders
) -> None:
    hook, _ = webhooks.add(db, settings, SYSTEM, intranet.url)
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(Forbidden):
        webhooks.listing(db, publisher)
    with pytest.raises(Forbidden):
        deliveries.listing(db, publisher, hook.id)
    with pytest.raises(Forbidden):
        webhooks.remove(db, publisher, hook.id)
    webhooks.remove(db, SYSTEM, hook.id)
    with pytest.raises(NotFound):
        webhooks.by_id(db, SYSTEM, hook.id)


def test_what_was_told_a_month_ago_is_forgotten(
    db: Database, settings: Settings, clock: FixedClock, intranet: Service
) -> None:
    hook, _ = webhooks.add(db, settings, SYSTEM, intranet.url, ["title:create"])
    titles.create(db, SYSTEM, "Sintel")
    tell(db, settings)

    clock.advance(days=31)
    deliveries.forget_old(db)

    assert deliveries.listing(db, SYSTEM, hook.id) == []
