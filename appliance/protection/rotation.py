"""A new key-encryption key: every content key is wrapped anew, and none is ever lost.

The order is what makes it safe: the new file is on the disk before a row names it, all
rows change in one transaction that is on the disk before an old file goes. Whoever is
killed in between leaves rows and files that fit; the next rotation tidies up.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.db import Database, write
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.protection import kek, vault
from appliance.settings import Settings


def rotate_kek(db: Database, settings: Settings, actor: Actor) -> int:
    """Wrap every content key with a new key-encryption key; return how many.

    Retired keys whose own key-encryption key is gone stay as they are.
    Errors: ``PreconditionFailed`` protection.kek-lost, protection.kek-wrong or
    protection.key-damaged, and then nothing has changed; protection.kek-credential
    where systemd gives the keys and has no new one yet.
    """
    if db.conn.in_transaction:
        raise RuntimeError("a rotation was asked for inside write(db)")
    with _durably(db), write(db):
        check(actor, Action.KEY_MANAGE)
        live, named = vault.named(db, live=True), vault.named(db)
        ring = kek.load(settings, afresh=True)
        kek.require(ring, live)
        successor = kek.successor(settings, live, named)
        count = vault.wrap_all(db, ring, successor)
        record(
            db,
            actor,
            Event.KEY_ROTATE,
            f"kek/{successor.name}",
            keys=count,
            before=[each.partition(":")[0] for each in live],
        )
    with write(db):
        kek.remove_unneeded(settings, vault.named(db))
    return count


@contextmanager
def _durably(db: Database) -> Iterator[None]:
    """Let commits wait for the disk: a file that rows needed is removed after one."""
    usual = db.value("pragma synchronous")
    db.conn.execute("pragma synchronous = full")
    try:
        yield
    finally:
        db.conn.execute(f"pragma synchronous = {usual}")
