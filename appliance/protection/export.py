"""Content keys on their way out of the house and back, under a passphrase.

Keys that were imported are wrapped like any others. What is here already stays; a row
that no longer opens, for its key-encryption key is lost or the row damaged, is mended.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.db import Database, write
from appliance.errors import Conflict, InvalidInput, PreconditionFailed
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.protection import kek, parcel, vault
from appliance.protection.kek import Kek
from appliance.protection.parcel import Parcel
from appliance.protection.vault import LIVE, ContentKey
from appliance.settings import Settings

LEAST_PASSPHRASE = 12
"""How many characters a passphrase has at least: who has the file may try for ever."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many keys were new, were here already, or did not open and do now.

    ``unknown`` are public ids of assets that are not here; their keys were left out.
    """

    imported: int
    present: int
    repaired: int
    unknown: tuple[str, ...]


def export(db: Database, settings: Settings, actor: Actor, passphrase: str) -> str:
    """Return every key in use, sealed as JSON text for :func:`restore`.

    Errors: ``InvalidInput`` for a short passphrase, ``PreconditionFailed`` when a key
    can't be opened: an export that silently lacks one is no export.
    """
    check(actor, Action.KEY_MANAGE)
    if len(passphrase) < LEAST_PASSPHRASE:
        raise InvalidInput(
            "protection.passphrase-short",
            f"Take a passphrase of at least {LEAST_PASSPHRASE} characters.",
        )
    made = Parcel.of(db.now(), _all(db, settings))
    text = parcel.seal(made, passphrase)
    with write(db):
        check(actor, Action.KEY_MANAGE)
        subject = f"export/{made.public_id}"
        record(db, actor, Event.KEY_EXPORT, subject, keys=len(made.keys))
    return text


def restore(
    db: Database, settings: Settings, actor: Actor, text: str, passphrase: str
) -> ImportReport:
    """Bring back the keys of an export, of those assets that are here.

    Errors: ``InvalidInput`` for a wrong passphrase or a damaged file, ``Conflict``
    when a key here is another than the file says; then nothing was written.
    """
    check(actor, Action.KEY_MANAGE)
    given = parcel.unseal(text, passphrase)
    with write(db):
        check(actor, Action.KEY_MANAGE)
        ids = {row["public_id"]: row["id"] for row in db.rows(_ASSETS)}
        known = [(ids[asset], key) for asset, key in given.keys if asset in ids]
        counts = _bring_in(db, settings, known)
        unknown = sorted({asset for asset, _ in given.keys if asset not in ids})
        subject, data = f"export/{given.public_id}", {**counts, "unknown": len(unknown)}
        record(db, actor, Event.KEY_IMPORT, subject, **data)
    return ImportReport(
        imported=counts[_IMPORTED],
        present=counts[_PRESENT],
        repaired=counts[_REPAIRED],
        unknown=tuple(unknown),
    )


_IMPORTED, _PRESENT, _REPAIRED = "imported", "present", "repaired"
_ASSETS = "select id, public_id from assets"


def _all(db: Database, settings: Settings) -> list[tuple[str, ContentKey]]:
    condition = f"asset_id = ? and {LIVE}"
    return [
        (asset["public_id"], key)
        for asset in db.rows(f"{_ASSETS} order by id")
        for key in vault.opened(db, settings, condition, (asset["id"],))
    ]


def _bring_in(
    db: Database, settings: Settings, keys: Sequence[tuple[int, ContentKey]]
) -> Counter[str]:
    counts: Counter[str] = Counter()
    if keys:
        wrapped_by = kek.for_new_rows(settings, vault.named(db))
        counts.update(_put(db, settings, wrapped_by, *each) for each in keys)
    return counts


def _put(
    db: Database, settings: Settings, wrapped_by: Kek, asset_id: int, key: ContentKey
) -> str:
    """Put one key where it belongs, and say what that came to."""
    there = vault.at(db, asset_id, key.generation, key.label)
    if there is None:
        vault.insert(db, asset_id, key, wrapped_by)
        return _IMPORTED
    if there != key.kid:
        raise _clash(key)
    try:
        (ours,) = vault.opened(db, settings, "kid = ?", (key.kid,))
    except PreconditionFailed:
        vault.write_again(db, asset_id, key, wrapped_by)
        return _REPAIRED
    if ours.key != key.key:
        raise _clash(key)
    return _PRESENT


def _clash(key: ContentKey) -> Conflict:
    return Conflict(
        "protection.key-differs",
        f"Here the asset of the content key {key.kid} ({key.label}) has another key"
        " than the export says. Nothing was imported: films here are encrypted with"
        " the one that is here.",
        {"kid": key.kid},
    )
