"""Markers: chapters, intros, recaps and credits of a film, found or set by hand.

What somebody set is never changed by what a machine finds.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from appliance.catalog import titles
from appliance.db import Database, Row, write
from appliance.errors import InvalidInput, NotFound
from appliance.events import Event, record
from appliance.media import assets
from appliance.media.assets import Asset
from appliance.permissions import Actor, check_title

_MOST = 500
_LONGEST_LABEL = 200


class MarkerKind(StrEnum):
    """What a stretch of a film is."""

    CHAPTER = "chapter"
    INTRO = "intro"
    RECAP = "recap"
    CREDITS = "credits"
    PREVIEW = "preview"


class MarkerOrigin(StrEnum):
    """Who says so: the source, a machine that listened, or a person."""

    SOURCE = "source"
    DETECTED = "detected"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A marker to be: times in seconds of the film, ``confidence`` from 0 to 1."""

    kind: MarkerKind
    starts_at: float
    ends_at: float
    label: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Marker:
    """One row; times are seconds of the film."""

    public_id: str
    asset_id: int
    kind: MarkerKind
    starts_at: float
    ends_at: float
    label: str
    origin: MarkerOrigin
    confidence: float | None


def of_asset(db: Database, asset_id: int) -> list[Marker]:
    """Return the markers of a film in the order of their beginnings."""
    rows = db.rows(
        "select * from markers where asset_id = ? order by starts_at, ends_at, id",
        (asset_id,),
    )
    return [_marker(row) for row in rows]


def add(db: Database, actor: Actor, asset_id: int, stretch: Stretch) -> Marker:
    """Set a marker by hand. Errors: ``InvalidInput``, ``Forbidden``, ``NotFound``."""
    asset = _mine(db, actor, asset_id)
    _require_sense(asset, stretch)
    with write(db):
        if len(of_asset(db, asset_id)) >= _MOST:
            raise InvalidInput(
                "marker.many", f"A film has {_MOST} markers at most: remove some first."
            )
        public_id = _insert(db, asset_id, stretch, MarkerOrigin.EDITED)
        _changed(db, actor, asset, added=stretch.kind.value)
        return _by_public_id(db, public_id)


def change(db: Database, actor: Actor, public_id: str, stretch: Stretch) -> Marker:
    """Change a marker; from then on it is somebody's, whoever found it.

    Errors: ``InvalidInput``, ``Forbidden``, ``NotFound``.
    """
    found = _by_public_id(db, public_id)
    asset = _mine(db, actor, found.asset_id)
    _require_sense(asset, stretch)
    with write(db):
        db.conn.execute(
            """
            update markers
            set kind = ?, starts_at = ?, ends_at = ?, label = ?, origin = 'edited',
                confidence = null
            where public_id = ?
            """,
            (
                stretch.kind.value,
                stretch.starts_at,
                stretch.ends_at,
                stretch.label.strip(),
                public_id,
            ),
        )
        _changed(db, actor, asset, changed=stretch.kind.value)
        return _by_public_id(db, public_id)


def remove(db: Database, actor: Actor, public_id: str) -> None:
    """Remove a marker. Errors: ``Forbidden``, ``NotFound``."""
    found = _by_public_id(db, public_id)
    asset = _mine(db, actor, found.asset_id)
    with write(db):
        db.conn.execute("delete from markers where public_id = ?", (public_id,))
        _changed(db, actor, asset, removed=found.kind.value)


def found(
    db: Database,
    actor: Actor,
    asset_id: int,
    origin: MarkerOrigin,
    kinds: Iterable[MarkerKind],
    stretches: Iterable[Stretch],
) -> list[Marker]:
    """Put what was found in place of what was found before, kind by kind.

    A kind of which somebody set a marker by hand stays as they left it. Stretches
    beyond the end of the film are cut there, or left out.
    """
    asset = assets.by_id(db, asset_id)
    with write(db):
        present = of_asset(db, asset_id)
        theirs = {each.kind for each in present if each.origin is MarkerOrigin.EDITED}
        open_kinds = [kind for kind in kinds if kind not in theirs]
        for kind in open_kinds:
            db.conn.execute(
                "delete from markers where asset_id = ? and kind = ?",
                (asset_id, kind.value),
            )
        kept = [
            each
            for each in _within(asset, stretches)
            if each.kind in open_kinds and each.ends_at > each.starts_at
        ]
        for each in kept[:_MOST]:
            _insert(db, asset_id, each, origin)
        if open_kinds:
            _changed(db, actor, asset, found=len(kept))
        return of_asset(db, asset_id)


def _within(asset: Asset, stretches: Iterable[Stretch]) -> Iterable[Stretch]:
    end = asset.duration
    for each in stretches:
        ends_at = each.ends_at if end is None else min(each.ends_at, end)
        if ends_at > each.starts_at >= 0:
            label = each.label.strip()[:_LONGEST_LABEL]
            yield Stretch(each.kind, each.starts_at, ends_at, label, each.confidence)


def _require_sense(asset: Asset, stretch: Stretch) -> None:
    if not 0 <= stretch.starts_at < stretch.ends_at:
        raise InvalidInput(
            "marker.times", "A marker ends after it begins, and begins at 0 or later."
        )
    if asset.duration is not None and stretch.ends_at > asset.duration + 0.5:
        raise InvalidInput(
            "marker.end",
            f"The film ends at {asset.duration:.1f} s: the marker can’t end later.",
        )
    if len(stretch.label.strip()) > _LONGEST_LABEL:
        raise InvalidInput(
            "marker.label", f"A label has {_LONGEST_LABEL} characters at most."
        )


def _mine(db: Database, actor: Actor, asset_id: int) -> Asset:
    asset = assets.by_id(db, asset_id)
    check_title(actor, titles.by_id(db, asset.title_id).created_by)
    return asset


def _insert(db: Database, asset_id: int, stretch: Stretch, origin: MarkerOrigin) -> str:
    public_id = secrets.token_hex(8)
    db.conn.execute(
        """
        insert into markers (public_id, asset_id, kind, starts_at, ends_at, label,
            origin, confidence, created_at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            public_id,
            asset_id,
            stretch.kind.value,
            round(stretch.starts_at, 3),
            round(stretch.ends_at, 3),
            stretch.label.strip(),
            origin.value,
            stretch.confidence,
            db.now(),
        ),
    )
    return public_id


def _changed(db: Database, actor: Actor, asset: Asset, **data: object) -> None:
    record(db, actor, Event.MARKERS_CHANGE, f"asset/{asset.public_id}", **data)


def _by_public_id(db: Database, public_id: str) -> Marker:
    row = db.one("select * from markers where public_id = ?", (public_id,))
    if row is None:
        raise NotFound("marker.missing", f"There is no marker {public_id}.")
    return _marker(row)


def _marker(row: Row) -> Marker:
    return Marker(
        public_id=row["public_id"],
        asset_id=row["asset_id"],
        kind=MarkerKind(row["kind"]),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        label=row["label"],
        origin=MarkerOrigin(row["origin"]),
        confidence=row["confidence"],
    )
