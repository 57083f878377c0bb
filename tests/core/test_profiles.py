"""Profiles: up to five, each with its name, limit and PIN; never locked out."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from click.testing import Result

from appliance import db as database
from appliance.accounts import faces, people, pins, profiles, sessions, watching
from appliance.accounts.profiles import Profile
from appliance.accounts.sessions import Kind
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    MatineeError,
    NotFound,
    TooManyRequests,
)
from appliance.events import Event, since
from appliance.permissions import SYSTEM, Action, Actor, Role
from appliance.playback import history, switching
from appliance.playback import sessions as playback
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders

Add = Callable[..., Profile]


@pytest.fixture
def ada(db: Database, settings: Settings, make: Builders) -> Actor:
    """Ada, signed in with a browser, with a password."""
    account = make.account("ada")
    return _signed_in(db, settings, account.id)


@pytest.fixture
def add(db: Database, settings: Settings, ada: Actor) -> Add:
    def add(name: str, **fields: Any) -> Profile:
        assert ada.account_id is not None
        return profiles.add(db, settings, ada, ada.account_id, name, **fields)

    return add


def _signed_in(
    db: Database, settings: Settings, account_id: int, kind: str = Kind.BROWSER
) -> Actor:
    _token, signed_in = sessions.start(
        db, settings, account_id, address="192.0.2.1", user_agent="test", kind=kind
    )
    return signed_in.actor("192.0.2.1")


def _now(db: Database, actor: Actor) -> Actor:
    """Return the actor as its session is now."""
    row = db.one(
        """
        select s.profile_id, s.profile_chosen_at, p.rating_limit, p.kids
        from sessions s join profiles p on p.id = s.profile_id
        where s.public_id = ? and s.revoked_at is null
        """,
        (actor.session,),
    )
    assert row is not None
    return replace(
        actor, profile_id=row["profile_id"], rating_limit=row["rating_limit"]
    )


def _first(db: Database, actor: Actor) -> Profile:
    assert actor.account_id is not None
    return profiles.of_account(db, actor.account_id)[0]


def test_profiles_are_added_changed_and_removed(
    db: Database, settings: Settings, ada: Actor, add: Add
) -> None:
    made = add("  Bo  ", kids=True, rating_limit=6, language="de", avatar="fox")
    assert (made.name, made.kids, made.rating_limit) == ("Bo", True, 6)
    assert (made.language, made.avatar, made.locked) == ("de", "fox", False)

    changed = profiles.edit(
        db, settings, ada, made.public_id, name="Robert", rating_limit=None, kids=False
    )
    assert (changed.name, changed.kids, changed.rating_limit) == ("Robert", False, None)

    profiles.remove(db, settings, ada, made.public_id)
    assert [each.name for each in profiles.of_user(db, "ada")] == ["ada"]
    names = [each.name for each in since(db)]
    assert names[-3:] == [
        Event.PROFILE_CREATE,
        Event.PROFILE_UPDATE,
        Event.PROFILE_REMOVE,
    ]


@pytest.mark.parametrize(
    ("name", "fields", "field"),
    [
        ("", {}, "name"),
        ("  ", {}, "name"),
        ("x" * 81, {}, "name"),
        ("a\u202eb", {}, "name"),
        ("a\x00b", {}, "name"),
        ("Bo", {"avatar": "../../etc/passwd"}, "avatar"),
        ("Bo", {"avatar": "<svg>"}, "avatar"),
        ("Bo", {"language": "english, please"}, "language"),
        ("Bo", {"rating_limit": -1}, "rating_limit"),
        ("Bo", {"rating_limit": 22}, "rating_limit"),
        ("Bo", {"kids": True}, "rating_limit"),
    ],
)
def test_nonsense_is_refused_at_its_field_and_makes_no_profile(
    db: Database, add: Add, name: str, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(name, **fields)

    assert refused.value.details["field"] == field
    assert len(profiles.of_user(db, "ada")) == 1


def test_two_profiles_are_not_called_the_same(add: Add) -> None:
    add("Bo")

    with pytest.raises(Conflict, match="already"):
        add("BO")


def test_a_new_profile_looks_like_no_other(add: Add) -> None:
    made = [add(name).avatar for name in ("Bo", "Cy", "Di")]

    assert len(set(made)) == 3
    assert set(made) < set(faces.COLOURS)


def test_of_two_who_add_the_last_profile_at_once_one_is_refused(
    db: Database, settings: Settings, ada: Actor, add: Add, clock: FixedClock
) -> None:
    for name in ("Bo", "Cy", "Di"):
        add(name)

    def last(name: str) -> str:
        with database.connect(settings.database, clock) as own:
            assert ada.account_id is not None
            try:
                profiles.add(own, settings, ada, ada.account_id, name)
            except Conflict as error:
                return error.code
        return "added"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(last, ("E", "F", "G", "H")))

    assert outcomes == ["added", *["profile.most"] * 3]
    assert len(profiles.of_user(db, "ada")) == 5


def test_the_last_profile_of_an_adult_stays(
    db: Database, settings: Settings, ada: Actor, add: Add
) -> None:
    own = _first(db, ada)
    with pytest.raises(Conflict, match="not a child’s"):
        profiles.remove(db, settings, ada, own.public_id)

    add("Bo", kids=True, rating_limit=6)
    with pytest.raises(Conflict, match="not a child’s"):
        profiles.remove(db, settings, ada, own.public_id)
    with pytest.raises(Conflict, match="not a child’s"):
        profiles.edit(db, settings, ada, own.public_id, kids=True, rating_limit=6)


def test_somebody_elses_profile_is_not_there(
    db: Database, settings: Settings, make: Builders, ada: Actor
) -> None:
    make.actor(username="ben")
    foreign = profiles.named(db, "ben").public_id

    refusals: tuple[Callable[[], object], ...] = (
        lambda: watching.choose(db, settings, ada, foreign),
        lambda: profiles.edit(db, settings, ada, foreign, name="Mine"),
        lambda: profiles.remove(db, settings, ada, foreign),
        lambda: pins.set_of_profile(db, settings, ada, foreign, "1234", PASSWORD),
    )
    for refused in refusals:
        with pytest.raises(NotFound):
            refused()


def test_an_account_with_one_profile_is_not_asked_who_watches(
    db: Database, settings: Settings, ada: Actor, add: Add
) -> None:
    assert ada.may(Action.PORTAL_SEE)
    assert ada.account_id is not None

    add("Bo")
    another = _signed_in(db, settings, ada.account_id)
    assert not any(another.may(each) for each in Action)
    # A program knows the password, which is worth more than any PIN.
    program = _signed_in(db, settings, ada.account_id, Kind.API)
    assert program.may(Action.PORTAL_SEE)


def test_a_profile_with_a_pin_is_asked_for_though_it_is_the_only_one(
    db: Database, settings: Settings, ada: Actor
) -> None:
    own = _first(db, ada).public_id
    pins.set_of_profile(db, settings, ada, own, "1234", PASSWORD)

    assert ada.account_id is not None
    another = _signed_in(db, settings, ada.account_id)
    assert not another.may(Action.PORTAL_SEE)
    with pytest.raises(InvalidInput, match="Type the PIN"):
        watching.choose(db, settings, another, own)
    watching.choose(db, settings, another, own, pin=" 12 34 ")


@pytest.mark.parametrize("pin", ["1234", "12345678", "१२३४", "１２３４", "1 2 3 4"])
def test_a_pin_is_four_to_eight_digits_of_any_script(
    db: Database, settings: Settings, ada: Actor, add: Add, pin: str
) -> None:
    other = add("Bo")
    pins.set_of_profile(db, settings, ada, other.public_id, pin, PASSWORD)

    typed = "12345678" if len(pin) == 8 else "1234"
    watching.choose(db, settings, ada, other.public_id, pin=typed)

    stored = db.value("select pin_hash from profiles where id = ?", (other.id,))
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "123",
        "123456789",
        "12a4",
        "½½½½",
        "²³¹⁴",
        "🔒🔒🔒🔒",
        "1" * 5000,
        "\ud800" * 4,
    ],
)
def test_what_is_no_pin_is_refused(
    db: Database, settings: Settings, ada: Actor, pin: str
) -> None:
    with pytest.raises(InvalidInput, match="4 to 8 digits"):
        pins.set_own(db, settings, ada, pin, PASSWORD)

    assert ada.account_id is not None
    assert not pins.guards(db, ada.account_id)


def test_a_pin_is_set_and_taken_away_with_the_password_alone(
    db: Database, settings: Settings, ada: Actor
) -> None:
    assert ada.account_id is not None
    with pytest.raises(InvalidInput, match="not your password"):
        pins.set_own(db, settings, ada, "1234", "wrong")
    pins.set_own(db, settings, ada, "1234", PASSWORD)
    with pytest.raises(InvalidInput, match="not your password"):
        pins.set_own(db, settings, ada, None, "1234")
    assert pins.guards(db, ada.account_id)

    pins.set_own(db, settings, ada, None, PASSWORD)
    assert not pins.guards(db, ada.account_id)
    # Neither the digits nor their hash are written down.
    for event in since(db):
        assert "1234" not in json.dumps(dict(event.data))
        assert "argon2" not in json.dumps(dict(event.data))


def test_five_wrong_pins_make_everybody_of_the_account_wait(
    db: Database, settings: Settings, ada: Actor, add: Add, clock: FixedClock
) -> None:
    bo, cy = add("Bo"), add("Cy")
    for each in (bo, cy):
        pins.set_of_profile(db, settings, ada, each.public_id, "1234", PASSWORD)

    # Tries at different PINs count together.
    for number in range(5):
        wanted = (bo, cy)[number % 2]
        with pytest.raises(InvalidInput, match="not the PIN"):
            watching.choose(db, settings, ada, wanted.public_id, pin="9999")
    with pytest.raises(TooManyRequests) as pause:
        watching.choose(db, settings, ada, bo.public_id, pin="1234")
    assert pause.value.details["retry_after"] == 60

    clock.advance(seconds=61)
    with pytest.raises(InvalidInput, match="not the PIN"):
        watching.choose(db, settings, ada, bo.public_id, pin="8888")
    with pytest.raises(TooManyRequests) as pause:
        watching.choose(db, settings, ada, bo.public_id, pin="1234")
    assert pause.value.details["retry_after"] == 120
    clock.advance(seconds=121)
    watching.choose(db, settings, ada, bo.public_id, pin="1234")


def test_wrong_pins_that_come_at_once_do_not_slip_through_together(
    db: Database, settings: Settings, ada: Actor, add: Add, clock: FixedClock
) -> None:
    other = add("Bo").public_id
    pins.set_of_profile(db, settings, ada, other, "1234", PASSWORD)

    def guess(pin: int) -> str:
        with database.connect(settings.database, clock) as own:
            try:
                watching.choose(own, settings, ada, other, pin=f"{pin:04}")
            except MatineeError as error:
                return error.code
        return "in"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(guess, range(2000, 2018)))

    assert outcomes.count("pin.wrong") == 5
    assert outcomes.count("pin.pause") == 13


def test_administrators_take_pins_away(
    db: Database, settings: Settings, ada: Actor, add: Add
) -> None:
    assert ada.account_id is not None
    other = add("Bo").public_id
    pins.set_of_profile(db, settings, ada, other, "1234", PASSWORD)
    pins.set_own(db, settings, ada, "5678", PASSWORD)
    for _ in range(5):
        with pytest.raises(InvalidInput):
            watching.choose(db, settings, ada, other, pin="9999")

    with pytest.raises(Forbidden):
        pins.clear(db, ada, ada.account_id)
    assert pins.clear(db, SYSTEM, ada.account_id) == 2

    watching.choose(db, settings, ada, other)


def test_a_child_needs_the_pin_of_the_account_to_get_out(
    db: Database, settings: Settings, ada: Actor, add: Add
) -> None:
    child, own = add("Bo", kids=True, rating_limit=6), _first(db, ada)
    pins.set_own(db, settings, ada, "5678", PASSWORD)
    watching.choose(db, settings, ada, child.public_id)

    assert watching.needed(db, ada, own) == {"account_pin"}
    with pytest.raises(InvalidInput) as refused:
        watching.choose(db, settings, ada, own.public_id, pin="5678")
    assert refused.value.details["field"] == "account_pin"
    watching.choose(db, settings, ada, own.public_id, account_pin="5678")
    assert _now(db, ada).profile_id == own.id


def test_profiles_are_managed_with_the_pin_of_the_account(
    db: Database, settings: Settings, ada: Actor, add: Add
) -> None:
    other, own = add("Bo"), _first(db, ada)
    pins.set_own(db, settings, ada, "5678", PASSWORD)

    refusals: tuple[Callable[[], object], ...] = (
        lambda: add("Cy"),
        lambda: profiles.edit(db, settings, ada, other.public_id, name="Mine"),
        lambda: profiles.edit(db, settings, ada, own.public_id, rating_limit=12),
        lambda: profiles.remove(db, settings, ada, other.public_id),
    )
    for refused in refusals:
        with pytest.raises(InvalidInput, match="Type the PIN"):
            refused()
    # What one's own looks like is one's own affair.
    profiles.edit(db, settings, ada, own.public_id, name="Adele", avatar="owl")
    add("Cy", pin="5678")
    profiles.remove(db, settings, ada, other.public_id, pin="5678")


def test_a_limited_profile_does_not_lift_its_limit(
    db: Database, settings: Settings, ada: Actor, add: Add
) -> None:
    teen = add("Bo", rating_limit=12)
    watching.choose(db, settings, ada, teen.public_id)
    young = _now(db, ada)

    assert young.account_id is not None
    refusals: tuple[Callable[[], object], ...] = (
        lambda: profiles.edit(db, settings, young, teen.public_id, rating_limit=18),
        lambda: profiles.add(db, settings, young, young.account_id or 0, "Me too"),
        lambda: profiles.remove(db, settings, young, teen.public_id),
    )
    for refused in refusals:
        with pytest.raises(Conflict, match="set a PIN for the account"):
            refused()
    profiles.edit(db, settings, young, teen.public_id, name="Bobby")


def test_a_removed_profile_is_gone_with_what_it_watched(
    db: Database, settings: Settings, make: Builders, ada: Actor, add: Add
) -> None:
    film, other = make.asset(), add("Bo")
    watching.choose(db, settings, ada, other.public_id)
    watched = _now(db, ada)
    db.table("progress").insert(
        {
            "profile_id": watched.profile_id,
            "asset_id": film.id,
            "position": 5.0,
            "duration": 10.0,
            "updated_at": db.now(),
        }
    )
    own = _first(db, ada)
    assert ada.account_id is not None
    administrator = SYSTEM
    profiles.remove(db, settings, administrator, other.public_id)

    assert db.value("select count(*) from progress") == 0
    row = db.one("select * from sessions where public_id = ?", (ada.session,))
    assert row is not None
    # The device is asked who watches; nobody is signed out.
    assert (row["profile_id"], row["profile_chosen_at"]) == (own.id, None)
    assert row["revoked_at"] is None


def test_removing_a_childs_profile_does_not_let_the_child_out(
    db: Database, settings: Settings, ada: Actor, add: Add
) -> None:
    child = add("Bo", kids=True, rating_limit=6)
    watching.choose(db, settings, ada, child.public_id)

    profiles.remove(db, settings, SYSTEM, child.public_id)

    revoked = db.value(
        "select revoked_at from sessions where public_id = ?", (ada.session,)
    )
    assert revoked is not None


def test_a_stream_belongs_to_the_profile_that_opened_it(
    db: Database, settings: Settings, make: Builders, ada: Actor, add: Add
) -> None:
    title, other = make.title(), add("Bo")
    make.asset(title)
    elsewhere = _signed_in(db, settings, ada.account_id or 0, Kind.API)
    here = playback.open(db, settings, ada, title=title.slug)
    there = playback.open(db, settings, elsewhere, title=title.slug)

    switching.switch(db, settings, ada, other.public_id)

    reasons = dict(
        db.conn.execute("select public_id, end_reason from playback_sessions")
    )
    assert reasons == {here.session: "switched", there.session: ""}


def test_the_history_is_of_one_profile_and_can_be_forgotten(
    db: Database, settings: Settings, make: Builders, ada: Actor, add: Add
) -> None:
    films = [make.asset(make.title(name)) for name in ("First", "Second", "Third")]
    for number, film in enumerate(films):
        db.table("progress").insert(
            {
                "profile_id": ada.profile_id,
                "asset_id": film.id,
                "position": 5.0,
                "duration": 10.0,
                "finished": int(number == 1),
                "updated_at": db.now(minutes=number),
            }
        )
    found = history.listing(db, ada)
    assert [each.name for each in found] == ["Third", "Second", "First"]
    assert [each.fraction for each in found] == [0.5, 1.0, 0.5]
    assert len(history.listing(db, ada, 1, 1)) == 1

    history.forget(db, ada, found[0].slug)
    assert [each.name for each in history.listing(db, ada)] == ["Second", "First"]
    with pytest.raises(NotFound):
        history.forget(db, ada, found[0].slug)

    other = replace(ada, profile_id=add("Bo").id)
    assert history.listing(db, other) == ()
    assert history.clear(db, other) == 0
    assert history.clear(db, ada) == 2
    assert history.listing(db, ada) == ()
    assert since(db)[-1].name == Event.HISTORY_CLEAR


def test_a_child_sees_its_history_and_does_not_delete_it(
    db: Database, settings: Settings, make: Builders
) -> None:
    account = make.account("ada", roles=(Role.ADMINISTRATOR,))
    profiles.add(db, settings, SYSTEM, account.id, "Bo", kids=True, rating_limit=6)
    _token, signed_in = sessions.start(
        db,
        settings,
        account.id,
        address="192.0.2.1",
        user_agent="",
        kind=Kind.API,
        profile="Bo",
    )
    child = signed_in.actor("192.0.2.1")

    assert history.listing(db, child) == ()
    with pytest.raises(Forbidden):
        history.clear(db, child)
    with pytest.raises(Forbidden):
        people.set_roles(db, child, "ada", [Role.VIEWER])


def test_a_program_names_the_profile_it_watches_as(
    db: Database, settings: Settings, ada: Actor, add: Add
) -> None:
    add("Bo", rating_limit=6)
    assert ada.account_id is not None

    def start(profile: str) -> sessions.SignedIn:
        return sessions.start(
            db,
            settings,
            ada.account_id or 0,
            address="",
            user_agent="",
            kind=Kind.API,
            profile=profile,
        )[1]

    assert start("Bo").rating_limit == 6
    assert start("").rating_limit is None
    with pytest.raises(NotFound):
        start("Nobody")


def test_commands_manage_profiles(
    matinee: Callable[..., Result], make: Builders, db: Database, settings: Settings
) -> None:
    account = make.account("ada")
    added = matinee(
        *("profile", "add", "ada", "Bo", "--kids", "--limit", "6", "--avatar", "fox"),
        "--json",
    )
    assert added.exit_code == 0, added.output
    assert json.loads(added.stdout)["rating_limit"] == 6
    assert matinee("profile", "add", "ada", "Cy", "--kids").exit_code == 2
    assert "up to 12" in matinee("profile", "limit", "ada", "Bo", "12").stdout
    edited = matinee("profile", "edit", "ada", "Bo", "--name", "Rob", "--no-kids")
    assert edited.exit_code == 0
    assert matinee("profile", "edit", "ada", "Rob").exit_code == 2
    listed = json.loads(matinee("profile", "list", "ada", "--json").stdout)
    assert [(each["name"], each["kids"]) for each in listed] == [
        ("ada", False),
        ("Rob", False),
    ]
    own = _signed_in(db, settings, account.id, Kind.API)
    pins.set_own(db, settings, own, "1234", PASSWORD)
    assert "1 PIN of ada" in matinee("user", "reset-pin", "ada").stdout
    assert matinee("profile", "remove", "ada", "Rob", "--yes").exit_code == 0
    assert matinee("profile", "remove", "ada", "Rob", "--yes").exit_code == 4
    assert matinee("profile", "remove", "ada", "ada", "--yes").exit_code == 3
