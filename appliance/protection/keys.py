"""Content keys: one for each kind of track of an asset, in generations.

A key is written, wrapped, and committed before anything is encrypted with it. A new
generation is made when an asset is encrypted anew; the one before stays usable until
that is installed, and is then retired: its rows stay, and no door gives them out.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from appliance.cenc import KeySystem, Label, Scheme
from appliance.db import Database, Row, write
from appliance.errors import NotFound, TryAgain
from appliance.events import Event, record
from appliance.media import assets
from appliance.media.assets import Asset
from appliance.permissions import Action, Actor, check
from appliance.protection import asking, kek, vault
from appliance.protection.asking import Wish
from appliance.protection.vault import LIVE, ContentKey
from appliance.settings import Settings

__all__ = ["ContentKey", "KeyRow", "KeyState"]


class KeyState(StrEnum):
    """Whether the doors give a key out."""

    LIVE = "live"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """What a list tells of a content key: nothing that opens a film.

    ``asset`` is a public id, ``title`` a slug, ``kek`` names what wrapped it.
    """

    kid: str
    asset: str
    title: str
    label: Label
    scheme: Scheme
    generation: int
    provider: str
    state: KeyState
    kek: str
    created_at: str


def of_asset(db: Database, settings: Settings, asset_id: int) -> tuple[ContentKey, ...]:
    """Return every key of the asset that is not retired, the oldest first.

    Errors: ``PreconditionFailed`` protection.kek-lost, protection.kek-wrong or
    protection.key-damaged.
    """
    return vault.opened(db, settings, f"asset_id = ? and {LIVE}", (asset_id,))


def of_kids(
    db: Database, settings: Settings, asset_id: int, kids: Collection[str]
) -> tuple[ContentKey, ...]:
    """Return those of the asset's keys that ``kids`` names; others are left out.

    Errors: those of :func:`of_asset`, for the keys that were asked for only.
    """
    marks = ", ".join("?" * len(kids))
    where = f"asset_id = ? and kid in ({marks}) and {LIVE}"
    return vault.opened(db, settings, where, (asset_id, *kids))


def listing(db: Database, title_slug: str = "") -> list[KeyRow]:
    """Return all keys, or those of one title, without what opens anything.

    Errors: ``NotFound`` when there is no such title.
    """
    known = "select 1 from titles where slug = ?"
    if title_slug and not db.value(known, (title_slug,)):
        raise NotFound("title.missing", f"There is no title “{title_slug}”.")
    rows = db.rows(
        """
        select k.kid, a.public_id as asset, t.slug as title, k.label, k.scheme,
            k.generation, k.provider, k.retired_at, k.kek, k.created_at
        from content_keys k
        join assets a on a.id = k.asset_id
        join titles t on t.id = a.title_id
        where :slug in ('', t.slug)
        order by t.slug, k.asset_id, k.generation, k.id
        """,
        {"slug": title_slug},
    )
    return [_listed(row) for row in rows]


def ensure(
    db: Database,
    settings: Settings,
    actor: Actor,
    asset: Asset,
    labels: Sequence[Label],
    scheme: Scheme,
    systems: Sequence[KeySystem],
) -> tuple[ContentKey, ...]:
    """Return the newest generation's keys for ``labels``, committed; make what lacks.

    A generation has one scheme: for another scheme a new one is begun. Who is killed
    in between asks the provider again for the same content id; of two who ask at once,
    the first to write wins, and both get what is written.
    Errors: ``PreconditionFailed`` for a lost key-encryption key, those of the
    provider, ``NotFound`` when the asset has gone.
    """
    check(actor, Action.KEY_MANAGE)
    generation = _newest(db, asset.id, scheme) or _unused(db, asset.id)
    wish = Wish(asset, generation, _once(labels), scheme, tuple(systems))
    return _complete(db, settings, actor, wish)


def renew(
    db: Database,
    settings: Settings,
    actor: Actor,
    asset: Asset,
    labels: Sequence[Label],
    scheme: Scheme,
    systems: Sequence[KeySystem],
) -> tuple[ContentKey, ...]:
    """Make and return a new generation of keys; older ones stay usable.

    Errors: those of :func:`ensure`.
    """
    check(actor, Action.KEY_MANAGE)
    generation = _unused(db, asset.id)
    wish = Wish(asset, generation, _once(labels), scheme, tuple(systems))
    return _complete(db, settings, actor, wish)


def retire(db: Database, actor: Actor, asset_id: int, before_generation: int) -> int:
    """Let no door give out the asset's older keys any more; return how many."""
    with write(db):
        check(actor, Action.KEY_MANAGE)
        asset = assets.by_id(db, asset_id)
        count = db.conn.execute(
            f"""
            update content_keys set retired_at = ?
            where asset_id = ? and generation < ? and {LIVE}
            """,
            (db.now(), asset_id, before_generation),
        ).rowcount
        if count:
            subject, before = f"asset/{asset.public_id}", before_generation
            record(db, actor, Event.KEY_RETIRE, subject, keys=count, before=before)
        return count


def _complete(
    db: Database, settings: Settings, actor: Actor, wish: Wish
) -> tuple[ContentKey, ...]:
    if db.conn.in_transaction:
        raise RuntimeError("content keys were asked for inside write(db)")
    found = _of_wish(db, settings, wish)
    missing = [label for label in wish.labels if label not in found]
    if missing:
        # No new film is built on a loss that nobody has mended yet.
        with write(db):  # so that no rotation comes between files and rows
            kek.require(kek.load(settings, afresh=True), vault.named(db, live=True))
        made = asking.ask(settings, wish, missing)
        _store(db, settings, actor, wish, made)
        found = _of_wish(db, settings, wish)
    keys = tuple(found[label] for label in wish.labels if label in found)
    if len(keys) < len(wish.labels) or {key.scheme for key in keys} - {wish.scheme}:
        raise TryAgain(
            "protection.keys-changed",
            "Somebody else has changed the keys of this film meanwhile: try again.",
        )
    return keys


def _once(labels: Sequence[Label]) -> tuple[Label, ...]:
    return tuple(dict.fromkeys(labels))


def _of_wish(db: Database, settings: Settings, wish: Wish) -> dict[Label, ContentKey]:
    where = f"asset_id = ? and generation = ? and {LIVE}"
    keys = vault.opened(db, settings, where, (wish.asset.id, wish.generation))
    return {key.label: key for key in keys}


def _store(
    db: Database,
    settings: Settings,
    actor: Actor,
    wish: Wish,
    made: Sequence[ContentKey],
) -> None:
    """Write what is still missing; who came first has filled the other places."""
    with write(db):
        asset = assets.by_id(db, wish.asset.id)
        wrapped_by = kek.for_new_rows(settings, vault.named(db))
        new = [
            key
            for key in made
            if vault.at(db, asset.id, key.generation, key.label) is None
        ]
        for key in new:
            vault.insert(db, asset.id, key, wrapped_by)
        if new:
            record(
                db,
                actor,
                Event.KEY_CREATE,
                f"asset/{asset.public_id}",
                generation=wish.generation,
                labels=[key.label.value for key in new],
                provider=new[0].provider,
            )


def _newest(db: Database, asset_id: int, scheme: Scheme) -> int | None:
    """Return the newest generation, if it is of that scheme."""
    row = db.one(
        f"""
        select generation, scheme from content_keys
        where asset_id = ? and {LIVE}
        order by generation desc
        limit 1
        """,
        (asset_id,),
    )
    return row["generation"] if row and row["scheme"] == scheme else None


def _unused(db: Database, asset_id: int) -> int:
    """Return the number of the next generation; retired ones keep theirs."""
    last = db.value(
        "select max(generation) from content_keys where asset_id = ?", (asset_id,)
    )
    return (last or 0) + 1


def _listed(row: Row) -> KeyRow:
    state = KeyState.LIVE if row["retired_at"] is None else KeyState.RETIRED
    return KeyRow(
        kid=row["kid"],
        asset=row["asset"],
        title=row["title"],
        label=Label(row["label"]),
        scheme=Scheme(row["scheme"]),
        generation=row["generation"],
        provider=row["provider"],
        state=state,
        kek=row["kek"],
        created_at=row["created_at"],
    )
