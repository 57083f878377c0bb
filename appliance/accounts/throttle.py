"""Slow down whoever guesses, without letting a stranger lock somebody out.

Every try is counted before it is checked and given back when it was right, so that
many at once cannot slip through together. A try counts against

- its network address (a /64 of IPv6), which may be a whole office: generous;
- the pair of user name and address: strict, with a pause that doubles;
- the user name from anywhere: a gentle pause of seconds, against many addresses;

or, from a device that signed in to this account before, against that device alone.
So a stranger's tries never count against the owner's own devices. A refused try does
not count: a pause ends when it said it would.
"""

import hashlib
import hmac
import ipaddress
import math
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from appliance import keyring
from appliance.clock import from_text, to_text
from appliance.db import Database, write
from appliance.errors import TooManyRequests
from appliance.settings import Settings


class Door(StrEnum):
    """What is being guessed."""

    PASSWORD = "password"  # noqa: S105 - the name of a door, no secret
    CODE = "code"
    PIN = "pin"


@dataclass(frozen=True, slots=True)
class _Counter:
    """One count of wrong tries.

    After ``free`` of them the pause is ``first`` seconds and doubles up to ``longest``;
    one try is forgotten every ``longest`` seconds. ``own`` counters start afresh when
    a try was right; shared ones only get that try back, or whoever has an account could
    wash an address clean between guesses.
    """

    source: str
    free: int
    longest: int
    own: bool
    first: int = 1


@dataclass(frozen=True, slots=True)
class Admission:
    """A try that was let through and counted."""

    counters: tuple[_Counter, ...]


def admit(
    db: Database,
    settings: Settings,
    door: Door,
    name: str,
    address: str,
    device: str | None,
) -> Admission:
    """Count a try and let it pass.

    ``device`` is the id of a device known for this account, else None.
    Errors: ``TooManyRequests`` with ``retry_after`` while a pause lasts.
    """
    counters = _counters(settings, door, name, address, device)
    return _admitted(db, counters, "sign-in.pause")


def admit_pin(db: Database, settings: Settings, account_id: int) -> Admission:
    """Count a try at any PIN of an account and let it pass.

    A PIN has few digits, so that its pauses begin long.
    Errors: ``TooManyRequests`` with ``retry_after`` while a pause lasts.
    """
    few = settings.accounts.throttle_after
    counter = _Counter(f"{Door.PIN}:{account_id}", few, 3600, own=True, first=60)
    return _admitted(db, (counter,), "pin.pause")


def admit_joining(db: Database, settings: Settings, address: str) -> Admission:
    """Count a try of a machine to join, and let it pass.

    Errors: ``TooManyRequests`` with ``retry_after`` while a pause lasts.
    """
    few = settings.accounts.throttle_after
    counter = _Counter(f"join:{network(address)}", few, 900, own=True)
    return _admitted(db, (counter,), "node.pause")


def right(db: Database, admission: Admission) -> None:
    """The try was right: forget the wrong ones before it that were one's own."""
    with write(db):
        for counter in admission.counters:
            if counter.own:
                _forget(db, counter.source)
            else:
                _give_back(db, counter)


def give_back(db: Database, admission: Admission) -> None:
    """The try was right but more is to be proved: it alone no longer counts."""
    with write(db):
        for counter in admission.counters:
            _give_back(db, counter)


def forgive(db: Database, settings: Settings, name: str) -> None:
    """Forget every wrong try on a name, as after a new password was set for it."""
    with write(db):
        for door in Door:
            prefix = f"{door}:{_digest(settings, name)}"
            db.conn.execute(
                "delete from sign_in_failures where source >= ? and source < ?",
                (prefix, prefix + "~"),
            )


def forgive_pins(db: Database, account_id: int) -> None:
    """Forget every wrong PIN of an account, as when its PINs are taken away."""
    with write(db):
        _forget(db, f"{Door.PIN}:{account_id}")


def network(address: str) -> str:
    """Return what one customer of a provider holds: an IPv4 address, an IPv6 /64."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return address[:64] or "-"
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))


def _admitted(db: Database, counters: tuple[_Counter, ...], code: str) -> Admission:
    with write(db):
        _forget_old(db)
        wait = max(_pause_left(db, counter) for counter in counters)
        if wait > 0:
            raise TooManyRequests(
                code,
                f"Too many wrong tries: wait {_in_words(wait)} and try again.",
                {"retry_after": wait},
            )
        for counter in counters:
            _count(db, counter)
    return Admission(counters)


def _counters(
    settings: Settings, door: Door, name: str, address: str, device: str | None
) -> tuple[_Counter, ...]:
    few = settings.accounts.throttle_after
    if device is not None:
        return (_Counter(f"{door}-device:{device}", few, 900, own=True),)
    key, net = _digest(settings, name), network(address)
    # Whoever tries codes knows the password already: nothing gentle about that.
    anywhere = (10 * few, 10) if door is Door.PASSWORD else (2 * few, 900)
    return (
        _Counter(f"address:{net}", 10 * few, 60, own=False),
        _Counter(f"{door}:{key}:{net}", few, 900, own=True),
        _Counter(f"{door}:{key}", *anywhere, own=False),
    )


def _digest(settings: Settings, name: str) -> str:
    # Keyed, as people do type their password into the field of the name.
    key = keyring.key(settings.keys, "throttle")
    text = name.strip().casefold()[:200].encode("utf-8", "surrogatepass")
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:24]


def _pause_left(db: Database, counter: _Counter) -> int:
    until = db.value(
        "select blocked_until from sign_in_failures where source = ?",
        (counter.source,),
    )
    if until is None:
        return 0
    return math.ceil((from_text(until) - db.clock.now()).total_seconds())


def _count(db: Database, counter: _Counter) -> None:
    failures = _failures(db, counter) + 1
    doubled = counter.first * 2 ** min(max(0, failures - counter.free), 20)
    pause = min(doubled, counter.longest)
    blocked = failures >= counter.free
    db.conn.execute(
        """
        insert or replace into sign_in_failures
            (source, failures, failed_at, blocked_until)
        values (?, ?, ?, ?)
        """,
        (
            counter.source,
            failures,
            db.now(),
            db.now(seconds=pause) if blocked else None,
        ),
    )


def _failures(db: Database, counter: _Counter) -> int:
    row = db.one(
        "select failures, failed_at from sign_in_failures where source = ?",
        (counter.source,),
    )
    if row is None:
        return 0
    passed = (db.clock.now() - from_text(row["failed_at"])).total_seconds()
    return max(0, int(row["failures"]) - int(passed // counter.longest))


def _give_back(db: Database, counter: _Counter) -> None:
    db.conn.execute(
        """
        update sign_in_failures
        set failures = max(0, failures - 1), blocked_until = null
        where source = ?
        """,
        (counter.source,),
    )


def _forget(db: Database, source: str) -> None:
    db.conn.execute("delete from sign_in_failures where source = ?", (source,))


def _forget_old(db: Database) -> None:
    day_ago = to_text(db.clock.now() - timedelta(days=1))
    db.conn.execute("delete from sign_in_failures where failed_at < ?", (day_ago,))


def _in_words(seconds: int) -> str:
    if seconds < 100:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{math.ceil(seconds / 60)} minutes"
