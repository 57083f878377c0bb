"""The catalogue of the live portal: enough titles for rows, genres, search, artwork."""

from pathlib import Path

from PIL import Image, ImageOps

from appliance.catalog import artwork
from appliance.catalog.titles import Title
from appliance.permissions import SYSTEM
from tests.browser.live_portal import LivePortal

_TITLES = (
    ("The Glass Orchard", ("Drama", "Mystery"), 2026, "12", 5400),
    ("Night Train North", ("Drama",), 2024, "6", 6720),
    ("Forklift refresher", ("Training",), 2025, "", 480),
    ("Fire safety: the basics", ("Training",), 2025, "", 900),
    (
        "Above the Tree Line, or what the rangers saw that winter",
        ("Nature",),
        2021,
        "",
        3000,
    ),
    ("The Quiet Harbour", ("Nature", "Drama"), 2019, "6", 2580),
    ("Data privacy in practice", ("Training",), 2026, "", 1260),
    ("Café Müller", ("Drama",), 1985, "", 2940),
)
_HUES = (
    "#1b3a2f",
    "#3b2a6b",
    "#6b2f1a",
    "#12486b",
    "#5a1b46",
    "#2f5d1d",
    "#6b5a12",
    "#1f2a52",
)


def fill(portal: LivePortal, scratch: Path) -> list[Title]:
    """Publish the titles, each with an asset and a backdrop of its own colour."""
    made = []
    for number, (name, genres, year, rating, seconds) in enumerate(_TITLES):
        title = portal.make.title(
            name,
            genres=genres,
            year=year,
            rating=rating,
            runtime_seconds=float(seconds),
            synopsis=f"What happens in {name} is told here in a sentence or two.",
        )
        portal.make.asset(title, captions=("en",))
        picture = paint(scratch / f"{number}.png", _HUES[number])
        for kind in ("backdrop", "poster"):
            artwork.add(
                portal.db,
                portal.storage,
                SYSTEM,
                title.id,
                kind,
                picture,
                origin="upload",
            )
        made.append(title)
    return made


def paint(path: Path, colour: str) -> Path:
    """Paint a picture of 1280 by 720 that is recognisably its own."""
    shade = Image.linear_gradient("L").resize((1280, 720)).rotate(25)
    ImageOps.colorize(shade, colour, "#d8c8a8").save(path)
    return path
