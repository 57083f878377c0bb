"""Content keys: made once, never lost, and told to nobody by accident."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import events
from appliance.cenc import KeySystem, Label, Scheme
from appliance.db import Database, write
from appliance.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    TryAgain,
    Unauthenticated,
)
from appliance.events import Event
from appliance.media.assets import Asset
from appliance.permissions import ANONYMOUS, SYSTEM, Role
from appliance.protection import asking, kek, keys, pssh, vault
from appliance.protection.asking import Wish
from appliance.protection.keys import ContentKey
from appliance.protection.provided import ProvidedKey
from appliance.settings import Settings
from tests.builders import Builders

ROOT = Path(__file__).resolve().parent.parent.parent
LABELS = (Label.AUDIO, Label.SD, Label.HD)
SYSTEMS = (KeySystem.CLEARKEY, KeySystem.WIDEVINE)

Ensure = Callable[..., tuple[ContentKey, ...]]


@pytest.fixture
def asset(make: Builders) -> Asset:
    return make.asset()


@pytest.fixture
def ensure(db: Database, settings: Settings, asset: Asset) -> Ensure:
    """Ask for keys of the asset, or of another, as the packaging of a film does."""

    def ask(
        labels: tuple[Label, ...] = LABELS,
        scheme: Scheme = Scheme.CBCS,
        of: Asset = asset,
    ) -> tuple[ContentKey, ...]:
        return keys.ensure(db, settings, SYSTEM, of, labels, scheme, SYSTEMS)

    return ask


def test_each_kind_of_track_has_a_key_of_its_own(ensure: Ensure) -> None:
    made = ensure()

    assert [key.label for key in made] == list(LABELS)
    assert len({key.kid for key in made}) == len({key.key for key in made}) == 3
    assert {len(key.key) for key in made} == {16}
    assert {(key.generation, key.provider) for key in made} == {(1, "local")}


def test_asking_again_gives_the_same_keys(
    db: Database, settings: Settings, asset: Asset, ensure: Ensure
) -> None:
    made = ensure()

    assert ensure() == made
    assert keys.of_asset(db, settings, asset.id) == made


def test_what_lacks_is_made_and_what_is_there_stays(ensure: Ensure) -> None:
    before = ensure((Label.AUDIO, Label.SD))

    after = ensure((Label.AUDIO, Label.UHD))

    assert after[0] == before[0]
    assert (after[1].label, after[1].generation) == (Label.UHD, 1)


def test_labels_that_are_named_twice_are_made_once(ensure: Ensure) -> None:
    assert len(ensure((Label.SD, Label.SD))) == 1


def test_boxes_of_key_systems_are_kept(ensure: Ensure) -> None:
    (key,) = ensure((Label.SD,))

    (box,) = pssh.read(base64.b64decode(key.pssh[KeySystem.CLEARKEY]))
    assert box.kids == (key.kid,)
    assert KeySystem.WIDEVINE in key.pssh


def test_another_scheme_begins_a_new_generation(ensure: Ensure) -> None:
    before = ensure()

    after = ensure(scheme=Scheme.CENC)

    assert {key.generation for key in after} == {2}
    assert {key.kid for key in after}.isdisjoint(key.kid for key in before)


def test_renewed_keys_stand_beside_the_old_ones_until_these_retire(
    db: Database, settings: Settings, asset: Asset, ensure: Ensure
) -> None:
    old = ensure()
    new = keys.renew(db, settings, SYSTEM, asset, LABELS, Scheme.CBCS, SYSTEMS)

    assert keys.of_asset(db, settings, asset.id) == old + new
    assert ensure() == new
    assert keys.retire(db, SYSTEM, asset.id, before_generation=2) == 3
    assert keys.of_asset(db, settings, asset.id) == new
    assert keys.of_kids(db, settings, asset.id, [old[0].kid]) == ()
    assert keys.retire(db, SYSTEM, asset.id, before_generation=2) == 0


def test_numbers_of_retired_generations_do_not_come_back(
    db: Database, asset: Asset, ensure: Ensure
) -> None:
    ensure()
    keys.retire(db, SYSTEM, asset.id, before_generation=2)

    assert {key.generation for key in ensure()} == {2}


def test_a_door_gets_the_keys_of_its_film_only(
    db: Database, settings: Settings, make: Builders, asset: Asset, ensure: Ensure
) -> None:
    ours, theirs = ensure(), ensure(of=make.asset())

    asked = [ours[1].kid, theirs[1].kid, "0" * 32]

    assert keys.of_kids(db, settings, asset.id, asked) == (ours[1],)
    assert keys.of_kids(db, settings, asset.id, []) == ()


def test_nobody_but_an_administrator_makes_or_retires_keys(
    db: Database, settings: Settings, make: Builders, asset: Asset
) -> None:
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(Forbidden):
        keys.retire(db, publisher, asset.id, before_generation=2)
    for verb in (keys.ensure, keys.renew):
        with pytest.raises(Unauthenticated):
            verb(db, settings, ANONYMOUS, asset, LABELS, Scheme.CBCS, SYSTEMS)
        with pytest.raises(Forbidden):
            verb(db, settings, publisher, asset, LABELS, Scheme.CBCS, SYSTEMS)
    assert keys.listing(db) == []


def test_keys_stand_in_no_repr_list_event_or_row(
    db: Database, settings: Settings, asset: Asset, ensure: Ensure
) -> None:
    made = ensure()
    keys.retire(db, SYSTEM, asset.id, before_generation=2)

    rows = db.rows("select * from content_keys")
    told = [repr(made), repr(keys.listing(db)), repr(events.since(db)), repr(rows)]
    told += [row["wrapped"].hex() for row in rows]
    for key in made:
        for secret in (key.key.hex(), repr(key.key)[2:-1]):
            assert not any(secret in text for text in told)
    assert [each.name for each in events.since(db)] == [
        Event.KEY_CREATE,
        Event.KEY_RETIRE,
    ]


def test_the_list_tells_whose_keys_they_are(
    db: Database, make: Builders, ensure: Ensure
) -> None:
    film = make.title("The River")
    asset = make.asset(film)
    (key,) = ensure((Label.HD,), of=asset)
    ensure()

    (row,) = keys.listing(db, film.slug)

    assert (row.kid, row.asset, row.title) == (key.kid, asset.public_id, film.slug)
    assert (row.label, row.generation, row.state) == (Label.HD, 1, "live")
    assert len(keys.listing(db)) == 4
    with pytest.raises(NotFound):
        keys.listing(db, "no-such-film")


def test_the_row_is_committed_before_anybody_encrypts(
    db: Database, settings: Settings, asset: Asset
) -> None:
    with pytest.raises(RuntimeError, match=r"inside write"), write(db):
        keys.ensure(db, settings, SYSTEM, asset, LABELS, Scheme.CBCS, SYSTEMS)


def test_an_asset_that_has_gone_gets_no_keys(
    db: Database, asset: Asset, ensure: Ensure
) -> None:
    with write(db):
        db.conn.execute("delete from assets where id = ?", (asset.id,))

    with pytest.raises(NotFound):
        ensure()


def test_a_wrapped_key_opens_in_its_own_row_only(
    db: Database, settings: Settings, make: Builders, asset: Asset, ensure: Ensure
) -> None:
    ensure()
    other = make.asset()
    with write(db):
        db.conn.execute("update content_keys set asset_id = ?", (other.id,))

    with pytest.raises(PreconditionFailed, match="damaged"):
        keys.of_asset(db, settings, other.id)


@pytest.mark.parametrize(
    "damage",
    [
        "wrapped = x''",
        "wrapped = substr(wrapped, 2)",
        "wrapped = zeroblob(44)",
        "label = 'UHD'",
        "kid = upper(kid)",
        "pssh = '{'",
    ],
)
def test_a_damaged_row_is_named_and_stops_no_other(
    db: Database, settings: Settings, asset: Asset, ensure: Ensure, damage: str
) -> None:
    made = ensure()
    with write(db):
        db.conn.execute(f"update content_keys set {damage} where label = 'HD'")
    kid = db.value("select kid from content_keys order by id desc limit 1")

    with pytest.raises(PreconditionFailed) as refusal:
        keys.of_kids(db, settings, asset.id, [kid])

    assert refusal.value.code == "protection.key-damaged"
    assert kid in refusal.value.message
    assert "key import" in refusal.value.message
    assert keys.of_kids(db, settings, asset.id, [made[0].kid]) == (made[0],)


def test_a_kid_of_another_film_is_refused(
    db: Database, settings: Settings, make: Builders, ensure: Ensure
) -> None:
    (ours,) = ensure((Label.SD,))
    with write(db), pytest.raises(Conflict, match=ours.kid):
        vault.insert(db, make.asset().id, ours, kek.for_new_rows(settings, ()))


KID, OTHER_KID, KEY = "0a" * 16, "0b" * 16, b"k" * 16


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [(KID, KEY, Label.SD, None)],
        [(KID, KEY, Label.SD, None), (OTHER_KID, KEY, Label.UHD, None)],
        [(KID, KEY, Label.SD, None), (KID, KEY, Label.HD, None)],
        [(KID, KEY, Label.SD, None), (OTHER_KID, KEY[1:], Label.HD, None)],
        [(KID, KEY, Label.SD, None), (OTHER_KID.upper(), KEY, Label.HD, None)],
        [(KID, KEY, Label.SD, None), ("0b", KEY, Label.HD, None)],
        [(KID, KEY, Label.SD, None), (OTHER_KID, KEY, Label.HD, "00")],
    ],
)
def test_an_answer_that_cannot_be_is_not_kept(
    asset: Asset, answer: list[tuple[str, bytes, Label, str | None]]
) -> None:
    labels = (Label.SD, Label.HD)
    wish = Wish(asset, 1, labels, Scheme.CBCS, SYSTEMS)
    given = [ProvidedKey(*each, pssh={}) for each in answer]

    with pytest.raises(PreconditionFailed, match="“speke” gave") as refusal:
        asking.accepted("speke", wish, labels, given)

    assert KEY.hex() not in repr(refusal.value)


def test_processes_that_ask_at_once_get_the_same_keys(
    settings: Settings, db: Database, asset: Asset
) -> None:
    asking = [_program(_ASK, settings, asset) for _ in range(3)]
    for each in asking:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in asking:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    answers = {each.communicate(timeout=30)[0] for each in asking}

    (answer,) = answers
    assert json.loads(answer) == [
        [key.kid, key.key.hex()] for key in keys.of_asset(db, settings, asset.id)
    ]
    assert [each.name for each in events.since(db)] == [Event.KEY_CREATE]


def test_keys_that_somebody_retires_meanwhile_are_not_handed_out(
    db: Database, ensure: Ensure
) -> None:
    # As by somebody who retires them between our writing and our reading.
    ensure((Label.AUDIO,))
    db.conn.execute(
        """
        create trigger meanwhile after insert on content_keys
        begin update content_keys set retired_at = '2026'; end
        """
    )

    with pytest.raises(TryAgain, match="try again"):
        ensure((Label.AUDIO, Label.SD))


def test_who_is_killed_before_the_commit_leaves_no_half_of_a_set(
    settings: Settings, db: Database, asset: Asset, ensure: Ensure
) -> None:
    killed = _program(_DIE_BEFORE_COMMIT, settings, asset)

    assert killed.wait(30) == -9
    killed.communicate()
    assert keys.listing(db) == []
    assert len(ensure()) == 3


def _program(text: str, settings: Settings, asset: Asset) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _BEGINNING + text, str(settings.home), str(asset.id)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


_BEGINNING = """
import json, os, signal, sys
from pathlib import Path
from appliance import db as database
from appliance.cenc import KeySystem, Label, Scheme
from appliance.media import assets
from appliance.permissions import SYSTEM
from appliance.protection import keys
from appliance.settings import Settings

settings = Settings(home=Path(sys.argv[1]))
db = database.Database(settings.database)
asset = assets.by_id(db, int(sys.argv[2]))
labels = (Label.AUDIO, Label.SD, Label.HD)

def ask():
    systems = (KeySystem.CLEARKEY,)
    return keys.ensure(db, settings, SYSTEM, asset, labels, Scheme.CBCS, systems)
"""

_ASK = """
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps([[key.kid, key.key.hex()] for key in ask()]))
"""

_DIE_BEFORE_COMMIT = """
def watch(statement):
    if statement == "commit":
        os.kill(os.getpid(), signal.SIGKILL)

db.conn.set_trace_callback(watch)
ask()
"""
