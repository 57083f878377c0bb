"""The rows of content keys: read and unwrapped, wrapped and written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.cenc import KeySystem, Label, Scheme
from appliance.db import Database, Params, Row
from appliance.errors import Conflict, PreconditionFailed
from appliance.protection import kek, wrapping
from appliance.protection.kek import Kek, Ring
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class ContentKey:
    """One key, opened; ``kid`` is 32 lower-case hexadecimal digits, ``iv`` too.

    ``pssh`` are whole boxes in base64, for the key systems that need one.
    """

    kid: str
    key: bytes = field(repr=False)
    label: Label
    scheme: Scheme
    generation: int
    iv: str | None
    provider: str
    pssh: Mapping[KeySystem, str]


LIVE = "retired_at is null"
"""The condition of rows that the doors give out."""


def opened(
    db: Database, settings: Settings, where: str, params: Params = ()
) -> tuple[ContentKey, ...]:
    """Return the keys of the rows that the SQL condition ``where`` picks, unwrapped.

    Errors: ``PreconditionFailed`` protection.kek-lost, protection.kek-wrong or
    protection.key-damaged.
    """
    rows, ring = _looked_up(db, settings, _SELECT.format(where), params)
    return tuple(_content_key(row, ring) for row in rows)


def named(db: Database, *, live: bool = False) -> list[str]:
    """Return which key-encryption keys the rows name: all rows, or those in use."""
    condition = f"where {LIVE}" if live else ""
    rows = db.rows(f"select distinct kek from content_keys {condition} order by kek")
    return [row["kek"] for row in rows]


def closed(db: Database, settings: Settings) -> dict[str, PreconditionFailed]:
    """Return the titles, by slug, whose keys in use do not open, and why."""
    rows, ring = _looked_up(
        db,
        settings,
        """
        select k.*, t.slug from content_keys k
        join assets a on a.id = k.asset_id
        join titles t on t.id = a.title_id
        where k.retired_at is null
        order by t.slug, k.id
        """,
    )
    refusals = ((row["slug"], _refusal(row, ring)) for row in rows)
    return {slug: error for slug, error in refusals if error}


def at(db: Database, asset_id: int, generation: int, label: Label) -> str | None:
    """Return the KID of the key that has this place, if there is one."""
    found: str | None = db.value(
        """
        select kid from content_keys
        where asset_id = ? and generation = ? and label = ?
        """,
        (asset_id, generation, label.value),
    )
    return found


def owner(db: Database, kid: str) -> int | None:
    """Return the id of the asset whose key ``kid`` is."""
    found: int | None = db.value(
        "select asset_id from content_keys where kid = ?", (kid,)
    )
    return found


def insert(db: Database, asset_id: int, key: ContentKey, wrapped_by: Kek) -> None:
    """Write a key, in the open transaction, into a place that is free.

    Errors: ``Conflict`` protection.kid-taken when the KID is that of another key.
    """
    if owner(db, key.kid) is not None:
        raise Conflict(
            "protection.kid-taken",
            f"The KID {key.kid} is that of another content key: whoever makes the keys"
            " must make them for this film alone.",
            {"kid": key.kid},
        )
    row = {**_row(asset_id, key, wrapped_by), "created_at": db.now()}
    marks = ", ".join(f":{name}" for name in row)
    db.conn.execute(
        f"insert into content_keys ({', '.join(row)}) values ({marks})", row
    )


def write_again(db: Database, asset_id: int, key: ContentKey, wrapped_by: Kek) -> None:
    """Write a key anew into the row of its KID, in the open transaction."""
    row = _row(asset_id, key, wrapped_by)
    changes = ", ".join(f"{name} = :{name}" for name in row)
    db.conn.execute(f"update content_keys set {changes} where kid = :kid", row)


def wrap_all(db: Database, ring: Ring, wrapped_by: Kek) -> int:
    """Wrap every key anew in the open transaction; return how many.

    A retired key that can't be opened stays as it is: nobody needs it to play.
    Errors: those of :func:`opened`.
    """
    rows = db.rows("select * from content_keys order by id")
    done = 0
    for row in rows:
        if row["retired_at"] is None or _refusal(row, ring) is None:
            write_again(db, row["asset_id"], _content_key(row, ring), wrapped_by)
            done += 1
    return done


_SELECT = """
select asset_id, kid, wrapped, kek, label, scheme, generation, iv, provider, pssh
from content_keys
where {}
order by generation, id
"""


def _looked_up(
    db: Database, settings: Settings, select: str, params: Params = ()
) -> tuple[list[Row], Ring]:
    """Return rows with the files that belong to them, whatever is rotated meanwhile.

    A file goes only after its rows have changed: one that is not found is lost only
    if the rows say the same after looking for it as before.
    """
    rows, ring = db.rows(select, params), kek.load(settings)
    while any(ring.find(row["kek"]) is None for row in rows):
        ring = kek.load(settings, afresh=True)
        before = [row["kek"] for row in rows]
        rows = db.rows(select, params)
        if [row["kek"] for row in rows] == before:
            break
    return rows, ring


def _row(asset_id: int, key: ContentKey, wrapped_by: Kek) -> Row:
    return {
        "asset_id": asset_id,
        "generation": key.generation,
        "label": key.label.value,
        "scheme": key.scheme.value,
        "kid": key.kid,
        "iv": key.iv,
        "provider": key.provider,
        "pssh": json.dumps({system.value: box for system, box in key.pssh.items()}),
        "wrapped": wrapping.wrap(wrapped_by, key.key, key.kid, key.label, asset_id),
        "kek": wrapped_by.id,
    }


def _content_key(row: Row, ring: Ring) -> ContentKey:
    wrapped_by = ring.find(row["kek"])
    if wrapped_by is None:
        raise kek.missing(ring, row["kek"])
    kid, label = row["kid"], row["label"]
    return ContentKey(
        kid=kid,
        key=wrapping.unwrap(wrapped_by, row["wrapped"], kid, label, row["asset_id"]),
        label=Label(label),
        scheme=Scheme(row["scheme"]),
        generation=row["generation"],
        iv=row["iv"],
        provider=row["provider"],
        pssh=_boxes(row),
    )


def _boxes(row: Row) -> dict[KeySystem, str]:
    try:
        return {KeySystem(name): box for name, box in json.loads(row["pssh"]).items()}
    except ValueError:
        raise wrapping.damaged(row["kid"], row["label"]) from None


def _refusal(row: Row, ring: Ring) -> PreconditionFailed | None:
    """Return why a key does not open; None when it does."""
    try:
        _content_key(row, ring)
    except PreconditionFailed as error:
        return error
    return None
