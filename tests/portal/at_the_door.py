"""A protected film, somebody who plays it, and what they say at the doors of keys."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.catalog.titles import Title
from appliance.cenc import KeySystem, Label, Scheme
from appliance.db import Database
from appliance.events import Event, Recorded, latest
from appliance.media.assets import Asset
from appliance.permissions import SYSTEM, Actor
from appliance.playback import sessions
from appliance.playback.descriptor import Descriptor
from appliance.protection import keys
from appliance.protection.keys import ContentKey
from appliance.settings import Settings
from tests.builders import Builders

LABELS = (Label.AUDIO, Label.SD, Label.HD)
CLEARKEY = "/licence/clearkey"


@dataclass(frozen=True)
class Film:
    """A published title that is protected, its asset, and its keys."""

    title: Title
    asset: Asset
    keys: tuple[ContentKey, ...]

    def key(self, label: Label) -> ContentKey:
        return next(each for each in self.keys if each.label is label)


def protected(
    make: Builders,
    name: str = "Solaris",
    *,
    systems: Sequence[KeySystem] = (KeySystem.CLEARKEY,),
    labels: Sequence[Label] = LABELS,
    **fields: Any,
) -> Film:
    """Make a film whose tracks are said to be encrypted with keys that there are."""
    listed = json.dumps([each.value for each in systems])
    title = make.title(name, protected=1, key_systems=listed, **fields)
    asset = make.asset(title, heights=(360, 720))
    made = keys.ensure(
        make.db, make.settings, SYSTEM, asset, labels, Scheme.CBCS, systems
    )
    by_label = {each.label: each for each in made}
    for track in make.db.rows("select id, kind, height from tracks"):
        label = Label.AUDIO if track["kind"] == "audio" else Label.SD
        label = Label.HD if (track["height"] or 0) > 576 else label
        if track["kind"] in ("audio", "video") and label in by_label:
            make.db.table("tracks").update(
                track["id"], {"kid": by_label[label].kid, "scheme": "cbcs"}
            )
    return Film(title, asset, made)


def opened(db: Database, settings: Settings, actor: Actor, film: Film) -> Descriptor:
    return sessions.open(db, settings, actor, title=film.title.slug, device="browser")


def text(kid: str) -> str:
    """Write a KID as ClearKey does."""
    return base64.urlsafe_b64encode(bytes.fromhex(kid)).decode().rstrip("=")


def asking(*kids: str, **members: Any) -> bytes:
    """Write a licence request."""
    request = {"kids": [text(each) for each in kids], "type": "temporary", **members}
    return json.dumps(request).encode()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ask(
    client: FlaskClient, token: str, body: bytes, door: str = CLEARKEY
) -> TestResponse:
    """Ask for a licence as Shaka does: no type, the token in a header."""
    return client.post(door, data=body, headers=bearer(token))


def given(answer: TestResponse) -> dict[str, bytes]:
    """Return the keys in a licence of ClearKey, by KID."""
    assert answer.status_code == 200, answer.text
    document = json.loads(answer.text)
    assert {each["kty"] for each in document["keys"]} == {"oct"}
    return {_bytes(each["kid"]).hex(): _bytes(each["k"]) for each in document["keys"]}


def events(db: Database) -> list[Recorded]:
    """Return what the audit log says of doors, oldest first."""
    doors = (Event.LICENCE_ISSUE, Event.LICENCE_REFUSE)
    return [each for each in latest(db, 200) if each.name in doors]


def refused(
    db: Database, film: Film, answer: TestResponse, status: int, code: str
) -> Recorded:
    """Check a refusal: its problem, its one event, and that it gives nothing away."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    problem = json.loads(answer.text)
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["detail"].endswith(".")
    assert answer.headers["Cache-Control"] == "no-store"
    (event,) = events(db)
    assert event.name == Event.LICENCE_REFUSE
    assert event.data["code"] == code
    for words in (answer.text, str(answer.headers), str(event)):
        assert holds_no_key(words, film)
    return event


def holds_no_key(words: str, film: Film) -> bool:
    """Tell whether no key of the film stands there, in any way to write one."""
    for each in film.keys:
        forms = {
            each.key.hex(),
            each.key.hex().upper(),
            base64.b64encode(each.key).decode().rstrip("="),
            text(each.key.hex()),
            str(each.key)[2:-1],
        }
        if any(form in words for form in forms):
            return False
    return True


def _bytes(value: str) -> bytes:
    assert "=" not in value
    return base64.urlsafe_b64decode(f"{value}==")
