"""A series with all that its pages show: seasons, cast, logo, trailer, translations."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from appliance.catalog import artwork, portraits, series, titles
from appliance.catalog.titles import Title
from appliance.db import write
from appliance.permissions import SYSTEM
from tests.browser.catalogue import paint
from tests.browser.live_portal import LivePortal

_SEASONS = {
    1: ("Grafting", "Frost", "The Census", "Windfall"),
    2: ("A cellar door", "The second ledger, and who kept it through the winter"),
    0: ("Behind the trees",),
}
_CAST = (
    ("Ines Maron", "actor", "Ines"),
    ("Joanna Hartwig", "actor", "The Warden"),
    ("Tomás Ó Briain", "actor", "Old Kaspar"),
    ("Lin Wei", "guest", "The Surveyor"),
    ("Grace Hopper", "director", ""),
    ("Ada Byron", "writer", ""),
    ("Grace Hopper", "producer", ""),
)
_SYNOPSIS = (
    "A botanist returns to the valley where the trees remember. What she finds in the"
    " packing shed has a name on it that should not be there."
)


@dataclass(frozen=True, slots=True)
class Saga:
    """The series, its episodes by season, and its trailer."""

    whole: Title
    episodes: dict[int, list[Title]]
    trailer: Title


def publish(portal: LivePortal, scratch: Path) -> Saga:
    """Publish it with pictures of its own; its films are only counted, not played."""
    db, storage = portal.db, portal.storage
    whole = titles.create(
        *(db, SYSTEM, "The Frost Orchard"),
        kind="series",
        year=2026,
        rating="12",
        language="en",
        synopsis=_SYNOPSIS,
        original_name="Der Frostgarten",
        genres=("Drama", "Mystery"),
        tags=("slow burn", "winter", "family secrets"),
        credits=[
            {"name": name, "job": job, "character": character}
            for name, job, character in _CAST
        ],
        translations={"de": {"name": "Der Frostgarten", "synopsis": "Bäume."}},
    )
    _illustrate(portal, whole, scratch)
    episodes = {
        number: [
            _part(portal, whole, name, scratch, season_number=number) for name in names
        ]
        for number, names in _SEASONS.items()
    }
    trailer = _part(portal, whole, "Official trailer", scratch, kind="trailer")
    series.describe_season(
        *(db, SYSTEM, whole.slug, 2),
        name="The Thaw",
        year=2026,
        synopsis="A year later the ledger is missing.",
    )
    for slug, colour in (("ines-maron", "#6b2f1a"), ("grace-hopper", "#12486b")):
        face = paint(scratch / f"{slug}.png", colour)
        portraits.add(db, storage, SYSTEM, slug, face)
    return Saga(_shown(portal, whole), episodes, trailer)


def _part(
    portal: LivePortal, whole: Title, name: str, scratch: Path, **place: object
) -> Title:
    made = titles.create(
        portal.db,
        SYSTEM,
        name,
        **{"kind": "episode", "parent": whole.slug, "synopsis": _SYNOPSIS, **place},  # type: ignore[arg-type]
    )
    portal.make.asset(made, duration=2520.0, captions=("en",))
    colour = f"#{_colour(name):06x}"
    artwork.add(
        *(portal.db, portal.storage, SYSTEM, made.id, "backdrop"),
        paint(scratch / f"{made.slug}.png", colour),
        origin="upload",
    )
    return _shown(portal, made, seconds=2520.0)


def _colour(name: str) -> int:
    """Return a dark colour that is always the same for a name."""
    return (
        sum(ord(each) * (index + 7) for index, each in enumerate(name)) * 977 % 0x555555
    )


def _illustrate(portal: LivePortal, whole: Title, scratch: Path) -> None:
    place = (portal.db, portal.storage, SYSTEM, whole.id)
    wide = paint(scratch / "frost.png", "#1b3a2f")
    artwork.add(*place, "backdrop", wide, origin="upload", focus=(0.8, 0.3))
    artwork.add(*place, "poster", wide, origin="upload", focus=(0.8, 0.3))
    for seconds in (12.0, 340.5):
        artwork.add(*place, "candidate", wide, origin="frame", seconds=seconds)
    logo = Image.new("RGBA", (900, 300))
    font = ImageFont.load_default(150)
    ImageDraw.Draw(logo).text((20, 60), "FROST", "white", font=font)
    logo.save(scratch / "logo.png")
    artwork.add(*place, "logo", scratch / "logo.png", origin="upload")


def _shown(portal: LivePortal, title: Title, seconds: float | None = None) -> Title:
    with write(portal.db):
        portal.db.conn.execute(
            """
            update titles set state = 'published', runtime_seconds = ?,
                published_at = coalesce(published_at, ?)
            where id = ?
            """,
            (seconds, portal.db.now(), title.id),
        )
    return titles.by_id(portal.db, title.id)
