"""The second factor: enrolment, codes that work once, recovery codes."""

import re

import pyotp
import pytest

from appliance import events
from appliance.accounts import recovery, sessions, totp
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    PreconditionFailed,
    Unauthenticated,
)
from appliance.permissions import SYSTEM, Actor, Role
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders


@pytest.fixture
def ada(make: Builders) -> Actor:
    account = make.account("ada")
    return Actor("ada", account.id, roles=frozenset({Role.VIEWER}))


def _code(secret: str, clock: FixedClock, steps: int = 0) -> str:
    return str(
        pyotp.TOTP(secret.replace(" ", "")).at(clock.now(), counter_offset=steps)
    )


def _enrol(
    db: Database, settings: Settings, clock: FixedClock, actor: Actor
) -> tuple[str, tuple[str, ...]]:
    """Switch the second factor on; return the secret and the recovery codes."""
    secret = totp.begin(db, settings, actor).secret
    codes = totp.confirm(db, settings, actor, _code(secret, clock))
    clock.advance(seconds=30)
    return secret, codes


def _sign_in(db: Database, settings: Settings, code: str | None) -> sessions.SignedIn:
    return sessions.sign_in(
        db, settings, "ada", PASSWORD, code, address="", user_agent=""
    )[1]


def test_the_picture_and_the_link_hold_the_secret(
    db: Database, settings: Settings, ada: Actor
) -> None:
    enrolment = totp.begin(db, settings, ada)

    link = pyotp.parse_uri(enrolment.uri)
    assert (link.name, link.issuer) == ("ada", "Matinee")
    assert link.secret == enrolment.secret.replace(" ", "")
    assert totp.pending(db, settings, ada) == enrolment


def test_the_picture_passes_a_policy_without_inline_styles(
    db: Database, settings: Settings, ada: Actor
) -> None:
    svg = totp.begin(db, settings, ada).qr_svg

    assert svg.startswith("<svg ")
    assert not re.search(r"style|class=|script|http", svg)


def test_the_secret_is_sealed_in_the_database_and_bound_to_its_account(
    db: Database, settings: Settings, ada: Actor, make: Builders
) -> None:
    secret = totp.begin(db, settings, ada).secret.replace(" ", "")
    stored = db.value("select totp_secret from accounts where username = 'ada'")
    bob = make.actor()
    db.conn.execute(
        "update accounts set totp_secret = ? where id = ?", (stored, bob.account_id)
    )

    assert secret not in stored
    with pytest.raises(PreconditionFailed, match="not the key"):
        totp.pending(db, settings, bob)


def test_signing_in_needs_a_code_once_it_is_confirmed_and_not_before(
    db: Database, settings: Settings, clock: FixedClock, ada: Actor
) -> None:
    secret = totp.begin(db, settings, ada).secret
    assert _sign_in(db, settings, None).username == "ada"

    totp.confirm(db, settings, ada, _code(secret, clock))
    clock.advance(seconds=30)

    with pytest.raises(Unauthenticated) as missing:
        _sign_in(db, settings, None)
    with pytest.raises(Unauthenticated) as wrong:
        _sign_in(db, settings, "000000")
    assert missing.value.code == "sign-in.otp-needed"
    assert wrong.value.code == "sign-in.otp-wrong"
    assert _sign_in(db, settings, _code(secret, clock)).username == "ada"


def test_a_wrong_code_does_not_switch_it_on(
    db: Database, settings: Settings, ada: Actor
) -> None:
    totp.begin(db, settings, ada)

    with pytest.raises(InvalidInput, match="does not fit"):
        totp.confirm(db, settings, ada, "12345x")

    assert _sign_in(db, settings, None).username == "ada"


def test_a_code_works_once(
    db: Database, settings: Settings, clock: FixedClock, ada: Actor
) -> None:
    secret, _ = _enrol(db, settings, clock, ada)
    code = _code(secret, clock)
    _sign_in(db, settings, code)

    with pytest.raises(Unauthenticated, match="each one works once"):
        _sign_in(db, settings, code)


def test_the_code_that_switched_it_on_does_not_sign_in(
    db: Database, settings: Settings, clock: FixedClock, ada: Actor
) -> None:
    secret = totp.begin(db, settings, ada).secret
    code = _code(secret, clock)
    totp.confirm(db, settings, ada, code)

    with pytest.raises(Unauthenticated):
        _sign_in(db, settings, code)


def test_an_older_code_is_refused_after_a_newer_one_was_used(
    db: Database, settings: Settings, clock: FixedClock, ada: Actor
) -> None:
    secret, _ = _enrol(db, settings, clock, ada)
    clock.advance(minutes=2)
    older, newer = _code(secret, clock), _code(secret, clock, steps=1)
    _sign_in(db, settings, newer)

    with pytest.raises(Unauthenticated):
        _sign_in(db, settings, older)


@pytest.mark.parametrize(
    ("steps", "taken"), [(-2, False), (-1, True), (1, True), (2, False)]
)
def test_a_clock_that_is_one_step_off_is_forgiven(
    db: Database,
    settings: Settings,
    clock: FixedClock,
    ada: Actor,
    steps: int,
    taken: bool,
) -> None:
    secret, _ = _enrol(db, settings, clock, ada)
    clock.advance(minutes=5)

    assert (
        totp.accept(db, settings, ada.account_id or 0, _code(secret, clock, steps))
        is taken
    )


def test_a_code_typed_with_a_blank_in_the_middle_is_taken(
    db: Database, settings: Settings, clock: FixedClock, ada: Actor
) -> None:
    secret, _ = _enrol(db, settings, clock, ada)
    code = _code(secret, clock)

    assert _sign_in(db, settings, f" {code[:3]} {code[3:]} ").username == "ada"


def test_ten_recovery_codes_each_sign_in_once(
    db: Database, settings: Settings, clock: FixedClock, ada: Actor
) -> None:
    _, codes = _enrol(db, settings, clock, ada)
    assert len(set(codes)) == 10

    typed = codes[0].upper().replace("-", " ")
    assert _sign_in(db, settings, typed).username == "ada"

    with pytest.raises(Unauthenticated):
        _sign_in(db, settings, codes[0])
    assert recovery.left(db, ada.account_id or 0) == 9
    assert "recovery-code:use" in [each.name for each in events.since(db)]
    assert codes[1] not in str(db.rows("select * from recovery_codes"))


def test_new_recovery_codes_need_the_password_and_end_the_old_ones(
    db: Database, settings: Settings, clock: FixedClock, ada: Actor
) -> None:
    _, old = _enrol(db, settings, clock, ada)

    with pytest.raises(InvalidInput, match="not your password"):
        totp.renew_codes(db, settings, ada, "a guess")
    new = totp.renew_codes(db, settings, ada, PASSWORD)

    with pytest.raises(Unauthenticated):
        _sign_in(db, settings, old[0])
    assert _sign_in(db, settings, new[0]).username == "ada"


def test_switching_off_needs_the_password(
    db: Database, settings: Settings, clock: FixedClock, ada: Actor
) -> None:
    _, codes = _enrol(db, settings, clock, ada)

    with pytest.raises(InvalidInput, match="not your password"):
        totp.disable(db, settings, ada, "a guess")
    totp.disable(db, settings, ada, PASSWORD)

    assert _sign_in(db, settings, None).username == "ada"
    assert recovery.left(db, ada.account_id or 0) == 0
    assert codes
    names = [each.name for each in events.since(db)]
    assert {"totp:enable", "totp:disable", "recovery-code:create"} <= set(names)


def test_beginning_again_does_not_replace_a_factor_that_is_on(
    db: Database, settings: Settings, clock: FixedClock, ada: Actor
) -> None:
    _enrol(db, settings, clock, ada)

    with pytest.raises(Conflict, match="already switched on"):
        totp.begin(db, settings, ada)
    with pytest.raises(Conflict, match="already switched on"):
        totp.confirm(db, settings, ada, "000000")


def test_an_administrator_resets_a_lost_factor_and_nobody_else(
    db: Database, settings: Settings, clock: FixedClock, ada: Actor, make: Builders
) -> None:
    _enrol(db, settings, clock, ada)
    assert ada.account_id is not None

    with pytest.raises(Forbidden):
        totp.reset(db, make.actor(Role.PUBLISHER), ada.account_id)
    totp.reset(db, SYSTEM, ada.account_id)

    assert _sign_in(db, settings, None).username == "ada"
