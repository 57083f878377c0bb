"""Throttling: guessing gets slow, and the owner is not locked out by a stranger."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest

from appliance.accounts import credentials, devices, people, throttle, totp
from appliance.accounts.throttle import Door
from appliance.clock import FixedClock
from appliance.db import Database, connect
from appliance.errors import TooManyRequests, Unauthenticated
from appliance.permissions import SYSTEM, Actor
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders

Try = Callable[..., str]
STRANGER, HOME = "203.0.113.66", "192.0.2.10"


@pytest.fixture
def attempt(db: Database, settings: Settings, make: Builders) -> Try:
    """``attempt(password, address, device) -> "in" | "wrong" | "pause"``."""
    make.account("ada")

    def attempt(
        password: str = "a guess",
        address: str = STRANGER,
        device: str = "",
        username: str = "ada",
    ) -> str:
        try:
            credentials.password(
                db, settings, username, password, address=address, device=device
            )
        except Unauthenticated:
            return "wrong"
        except TooManyRequests:
            return "pause"
        return "in"

    return attempt


def test_after_a_few_wrong_passwords_there_is_a_pause(
    attempt: Try, settings: Settings
) -> None:
    tries = [attempt() for _ in range(settings.accounts.throttle_after + 2)]

    assert tries == ["wrong"] * settings.accounts.throttle_after + ["pause", "pause"]


def test_the_right_password_does_not_pass_during_a_pause_but_right_after(
    attempt: Try, settings: Settings, clock: FixedClock
) -> None:
    for _ in range(settings.accounts.throttle_after):
        attempt()

    assert attempt(PASSWORD) == "pause"
    clock.advance(seconds=1)
    assert attempt(PASSWORD) == "in"


def test_the_pause_doubles_up_to_a_quarter_of_an_hour(
    attempt: Try, db: Database, settings: Settings, clock: FixedClock
) -> None:
    pauses = []
    for _ in range(settings.accounts.throttle_after - 1):
        attempt()
    for _ in range(13):
        assert attempt() == "wrong"
        with pytest.raises(TooManyRequests) as caught:
            credentials.password(db, settings, "ada", "x", address=STRANGER)
        pauses.append(caught.value.details["retry_after"])
        clock.advance(seconds=pauses[-1])

    assert pauses[:11] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]
    assert set(pauses[11:]) == {900}


def test_a_refused_try_does_not_lengthen_the_pause(
    attempt: Try, settings: Settings, clock: FixedClock
) -> None:
    for _ in range(settings.accounts.throttle_after + 50):
        attempt()

    clock.advance(seconds=1)
    assert attempt(PASSWORD) == "in"


def test_signing_in_forgets_ones_own_typos(attempt: Try, settings: Settings) -> None:
    for _ in range(3):
        for _ in range(settings.accounts.throttle_after - 1):
            assert attempt(address=HOME) == "wrong"
        assert attempt(PASSWORD, HOME) == "in"


def test_a_stranger_hammering_a_name_does_not_stop_its_owner_elsewhere(
    attempt: Try, clock: FixedClock
) -> None:
    for _ in range(200):
        attempt()
        clock.advance(seconds=1)

    assert attempt(PASSWORD, HOME) == "in"


def test_many_strangers_hammering_a_name_do_not_stop_a_known_device(
    attempt: Try, db: Database, settings: Settings
) -> None:
    account = people.find(db, "ada")
    note = devices.remembered(settings, "", account.public_id)
    results = [attempt(address=f"198.51.100.{host}") for host in range(1, 120)]

    assert results[-1] == "pause"  # the name is guarded against many addresses
    assert attempt(PASSWORD, HOME) == "pause"
    assert attempt(PASSWORD, HOME, note) == "in"


def test_from_many_addresses_a_name_has_a_gentle_pause_of_seconds(
    attempt: Try, settings: Settings, clock: FixedClock
) -> None:
    for host in range(1, 120):
        attempt(address=f"198.51.100.{host}")
        clock.advance(seconds=1)

    clock.advance(seconds=10)
    assert attempt(PASSWORD, HOME) == "in"


def test_even_from_the_strangers_own_network_a_known_device_gets_in(
    attempt: Try, db: Database, settings: Settings
) -> None:
    note = devices.remembered(settings, "", people.find(db, "ada").public_id)
    for guess in range(100):
        attempt(username=f"user{guess}")
    assert attempt() == "pause"

    assert attempt(PASSWORD, STRANGER, note) == "in"


def test_a_stolen_device_guesses_slowly_too(
    attempt: Try, db: Database, settings: Settings
) -> None:
    note = devices.remembered(settings, "", people.find(db, "ada").public_id)

    tries = [
        attempt(address=f"198.51.100.{n}", device=note)
        for n in range(settings.accounts.throttle_after + 1)
    ]

    assert tries[-1] == "pause"
    assert attempt(PASSWORD, HOME) == "in"


def test_a_device_known_for_another_account_or_with_a_forged_note_is_a_stranger(
    attempt: Try, db: Database, settings: Settings, make: Builders
) -> None:
    ada = people.find(db, "ada").public_id
    mallory = make.account("mallory").public_id
    real = devices.remembered(settings, "", ada)
    foreign = devices.remembered(settings, "", mallory)
    forged = foreign.replace(mallory, ada)
    altered = real[:-1] + ("y" if real.endswith("x") else "x")

    assert devices.known(settings, real, ada) is not None
    for note in (foreign, forged, altered, "", "a.b.c", "é.é.é", "~~~"):
        assert devices.known(settings, note, ada) is None


def test_a_device_is_known_for_all_of_a_familys_accounts(settings: Settings) -> None:
    note = ""
    for account in ("ada", "bob", "ada"):
        note = devices.remembered(settings, note, account)

    assert devices.known(settings, note, "ada")
    assert devices.known(settings, note, "bob")
    assert note.count("~") == 1


def test_one_address_trying_many_names_is_slowed_down(attempt: Try) -> None:
    results = [attempt(username=f"user{n}") for n in range(60)]

    assert "pause" in results
    assert attempt(PASSWORD, HOME) == "in"


def test_owning_an_account_does_not_wash_an_address_clean(
    attempt: Try, make: Builders, clock: FixedClock
) -> None:
    make.account("mallory")
    guesses = 0
    for n in range(600):
        guesses += attempt(username=f"user{n}") == "wrong"
        attempt(PASSWORD, username="mallory")
        clock.advance(seconds=1)

    # Ten minutes: the fifty that are free, and then about one a minute.
    assert guesses < 80


def test_an_unknown_name_is_paused_like_a_known_one(
    attempt: Try, settings: Settings
) -> None:
    count = settings.accounts.throttle_after + 2
    known = [attempt(address="192.0.2.1") for _ in range(count)]
    unknown = [attempt(address="192.0.2.2", username="nobody") for _ in range(count)]

    assert known == unknown


def test_tries_at_the_same_moment_do_not_slip_through_together(
    settings: Settings, clock: FixedClock
) -> None:
    """Each is counted before its password is looked at."""

    def let_through(_: int) -> bool:
        with connect(settings.database, clock) as db:
            try:
                throttle.admit(db, settings, Door.PASSWORD, "ada", STRANGER, None)
            except TooManyRequests:
                return False
            return True

    with ThreadPoolExecutor(max_workers=8) as pool:
        results = list(pool.map(let_through, range(50)))

    assert sum(results) == settings.accounts.throttle_after


def test_a_password_that_was_reset_can_be_used_at_once(
    attempt: Try, db: Database, settings: Settings
) -> None:
    for _ in range(settings.accounts.throttle_after + 1):
        attempt(address=HOME)

    people.reset_password(db, settings, SYSTEM, "ada", "another fine phrase")

    assert attempt("another fine phrase", HOME) == "in"


def test_codes_are_guessed_slowly_by_whoever_has_the_password(
    attempt: Try, db: Database, settings: Settings, clock: FixedClock
) -> None:
    account = people.find(db, "ada")
    owner = Actor("ada", account.id)
    secret = totp.begin(db, settings, owner).secret.replace(" ", "")
    totp.confirm(db, settings, owner, pyotp.TOTP(secret).at(clock.now()))
    proven = credentials.password(db, settings, "ada", PASSWORD, address=STRANGER)
    guesses = 0
    for second in range(3600):
        try:
            credentials.code(
                db, settings, proven, "000000", address=f"198.51.{second % 256}.1"
            )
        except Unauthenticated:
            guesses += 1
        except TooManyRequests:
            clock.advance(seconds=1)

    assert guesses < 25  # in an hour, of a million
    note = devices.remembered(settings, "", account.public_id)
    clock.advance(minutes=5)
    code = pyotp.TOTP(secret).at(clock.now())
    credentials.code(db, settings, proven, code, address=HOME, device=note)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "-"),
        ("unix:", "unix:"),
    ],
)
def test_an_ipv6_customer_counts_as_one_network(address: str, network: str) -> None:
    assert throttle.network(address) == network


def test_what_was_typed_as_a_name_is_not_stored(attempt: Try, db: Database) -> None:
    attempt(username="my password")

    assert "my password" not in str(db.rows("select * from sign_in_failures"))


def test_old_counts_disappear(attempt: Try, db: Database, clock: FixedClock) -> None:
    attempt(address=STRANGER)
    clock.advance(days=1, seconds=1)
    attempt(address=HOME)

    assert STRANGER not in str(db.rows("select source from sign_in_failures"))
