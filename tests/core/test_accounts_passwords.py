"""Passwords: which are taken, and how they are kept."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from appliance.accounts import passwords, sessions
from appliance.db import Database, write
from appliance.errors import InvalidInput
from appliance.settings import Accounts, Settings
from tests.builders import PASSWORD, Builders


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short one", "10 characters or more"),
        ("x" * 1025, "1024 characters or fewer"),
        ("Ada@Example.org", "must not be the user name"),
        ("Password123", "among the first"),
        ("QWERTYUIOP", "among the first"),
        ("1212121212121", "among the first"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(
    settings: Settings, password: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        passwords.require_good(settings, "ada@example.org", password)


def test_the_least_length_is_a_setting(settings: Settings) -> None:
    relaxed = Settings(home=settings.home, accounts=Accounts(password_length=6))

    passwords.require_good(relaxed, "ada", "fnord!")


def test_a_phrase_without_digits_and_signs_is_taken(settings: Settings) -> None:
    passwords.require_good(settings, "ada", "seven green kettles sing")


def test_a_password_is_kept_as_argon2id_with_the_parameters_of_owasp() -> None:
    stored = passwords.hashed(PASSWORD)

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(stored, PASSWORD)
    assert not passwords.matches(stored, PASSWORD + " ")


def test_the_same_letters_typed_on_another_system_are_the_same_password() -> None:
    stored = passwords.hashed("caf\u00e9 au lait, twice")

    assert passwords.matches(stored, "cafe\u0301 au lait, twice")


def test_a_hash_with_older_parameters_is_renewed_when_its_owner_signs_in(
    db: Database, settings: Settings, make: Builders
) -> None:
    account = make.account("ada")
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with write(db):
        db.conn.execute("update accounts set password_hash = ?", (old,))

    sessions.sign_in(db, settings, "ada", PASSWORD, None, address="", user_agent="")

    stored = db.value("select password_hash from accounts where id = ?", (account.id,))
    assert not passwords.outdated(stored)
    assert passwords.matches(stored, PASSWORD)


def test_an_unknown_name_takes_as_long_as_a_known_one() -> None:
    stored = passwords.hashed(PASSWORD)

    known = _cpu_of(lambda: passwords.matches(stored, "wrong"))
    unknown = _cpu_of(lambda: passwords.matches(None, "wrong"))

    assert 0.6 < unknown / known < 1.6


def test_many_who_sign_in_at_the_same_moment_wait_their_turn_and_get_in() -> None:
    stored = passwords.hashed(PASSWORD)
    with ThreadPoolExecutor(max_workers=12) as pool:
        results = list(pool.map(passwords.matches, [stored] * 12, [PASSWORD] * 12))

    assert results == [True] * 12


def _cpu_of(work: Callable[[], object]) -> float:
    best = []
    for _ in range(5):
        start = time.thread_time()
        work()
        best.append(time.thread_time() - start)
    return min(best)
