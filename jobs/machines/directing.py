"""What people may wish of the machines that do media work: recorded, and left as files.

The machines find it within two seconds; they have no database.
"""

from collections.abc import Callable
from dataclasses import replace

from appliance.db import Database, write
from appliance.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.storage import Storage
from jobs.machines import nodes, wishes
from jobs.machines.nodes import Node
from jobs.machines.wishes import Wish

_MOST_UNITS = 1000


def listing(db: Database, actor: Actor, storage: Storage) -> list[Node]:
    """Return the media workers, those that were lost within the last hour included.

    Errors: ``PreconditionFailed`` while the storage is away.
    """
    check(actor, Action.NODE_MANAGE)
    storage.require_mounted()
    try:
        return nodes.listing(storage, db.clock.now().timestamp())
    except OSError as error:
        raise PreconditionFailed(
            "storage.away",
            f"The storage {storage.root} does not answer ({error.strerror}): see to its"
            " disk or share.",
        ) from error


def drain(db: Database, actor: Actor, storage: Storage, name: str) -> list[Node]:
    """Let a machine finish what it does and take nothing new, until it is resumed.

    Return its media workers with what they are still doing. Errors: ``NotFound``.
    """
    _wish(db, actor, storage, name, lambda wish: replace(wish, drain=True))
    return _named(db, actor, storage, name)


def resume(db: Database, actor: Actor, storage: Storage, name: str) -> None:
    """Let a machine take work again. Errors: ``NotFound``."""
    _wish(db, actor, storage, name, lambda wish: replace(wish, drain=False))


def limit(db: Database, actor: Actor, storage: Storage, name: str, units: int) -> None:
    """Let a machine do at most so many work units at once; 0 lifts the limit.

    Errors: ``NotFound``, ``InvalidInput``.
    """
    if not 0 <= units <= _MOST_UNITS:
        raise InvalidInput(
            "node.limit", f"Give a number of work units from 0 to {_MOST_UNITS}."
        )
    _wish(db, actor, storage, name, lambda wish: replace(wish, limit=units))


def remove(db: Database, actor: Actor, storage: Storage, name: str) -> None:
    """Forget a machine that is gone, and what was wished of it.

    Errors: ``NotFound``; ``Conflict`` while a media worker of it runs.
    """
    found = _named(db, actor, storage, name)
    if any(each.alive for each in found):
        raise Conflict(
            "node.alive",
            f"The media worker of {name} runs: stop it first, or drain it.",
        )
    with write(db):
        record(db, actor, Event.NODE_CHANGE, f"node/{name}", removed=True)
        nodes.remove(storage, name, db.clock.now().timestamp())


def _wish(
    db: Database,
    actor: Actor,
    storage: Storage,
    name: str,
    change: Callable[[Wish], Wish],
) -> None:
    _named(db, actor, storage, name)
    with write(db):
        wish = change(wishes.of(storage, name))
        record(
            db,
            actor,
            Event.NODE_CHANGE,
            f"node/{name}",
            drain=wish.drain,
            limit=wish.limit,
        )
        # Last in the transaction: without the file there is nothing to tell of.
        wishes.put(storage, name, wish)


def _named(db: Database, actor: Actor, storage: Storage, name: str) -> list[Node]:
    known = listing(db, actor, storage)
    found = [each for each in known if each.name == name]
    if not found:
        names = ", ".join(sorted({each.name for each in known})) or "none"
        raise NotFound("node.missing", f"There is no node “{name}”. Known: {names}.")
    return found
