"""Take the picture of README.md: the home page of a portal made for it.

Its films are called as the demo film goes on, and have pictures out of it:
``make film && .venv/bin/python -m workshop.screenshot``
"""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import FloatRect, Page, ViewportSize

from appliance.accounts import profiles
from appliance.catalog import artwork
from appliance.db import write
from appliance.media import assets
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import progress
from tests.browser import chromium, live_portal
from tests.browser.live_portal import LivePortal
from tests.builders import PASSWORD
from tests.media_samples import ffmpeg

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "web/static/img/readme-home.jpg"
FILM = ROOT / "var/films/big-buck-bunny.mp4"
SIZE: ViewportSize = {"width": 1280, "height": 800}
# What each is called, the second of the film that shows it, its minutes and how much
# of it somebody has watched.
FILMS = (
    ("The Clearing", 225, 24, 0.5),
    ("A Fence of Spears", 445, 51, 0.3),
    ("The Fruit of the Tree", 420, 38, 0.7),
    ("A Song Before Noon", 20, 12, 0.6),
    ("Into the Woods", 250, 96, 0.4),
    ("Three Against One", 120, 88, 0.0),
    ("The Burrow", 35, 45, 0.0),
    ("Kite Weather", 485, 19, 0.2),
    ("A Squirrel’s Revenge", 395, 102, 0.0),
    ("Big Buck Bunny", 66, 10, 0.0),
)
GENRES = (("Comedy", "Nature"), ("Nature", "Animation"), ("Animation", "Comedy"))


def main() -> None:
    """Make the portal, open its home page, and keep what it looks like."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with live_portal.running(home) as portal, chromium.launched() as browser:
            portal.make.account("ada", roles=(Role.ADMINISTRATOR,), display_name="Ada")
            _fill(portal, home)
            page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
            _sign_in(page, portal.url)
            page.wait_for_load_state("networkidle")
            _keep(page)


def _fill(portal: LivePortal, scratch: Path) -> None:
    profile = profiles.named(portal.db, "ada")
    viewer = Actor("ada", profile.account_id, profile.id, frozenset({Role.VIEWER}))
    for number, (name, second, minutes, watched) in enumerate(FILMS):
        title = portal.make.title(
            name,
            genres=GENRES[number % len(GENRES)],
            year=2008,
            rating="All ages",
            runtime_seconds=minutes * 60.0,
            synopsis="A giant rabbit with a heart bigger than himself meets three"
            " bullies of the forest. Pictures: © 2008 Blender Foundation,"
            " peach.blender.org, licensed CC BY 3.0.",
        )
        asset = portal.make.asset(title)
        with write(portal.db):
            # As long as told; what plays is not looked at here.
            portal.db.table("assets").update(asset.id, {"duration": minutes * 60.0})
        picture = scratch / f"{second}.png"
        ffmpeg("-ss", str(second), "-i", FILM, "-frames:v", "1", picture)
        for kind in ("backdrop", "poster"):
            add = (portal.db, portal.storage, SYSTEM, title.id, kind, picture)
            artwork.add(*add, origin="upload")
        if watched:
            film, place = assets.by_id(portal.db, asset.id), watched * minutes * 60
            progress.save(portal.db, portal.settings, viewer, film, place)


def _sign_in(page: Page, portal: str) -> None:
    page.goto(f"{portal}/login")
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{portal}/")


def _keep(page: Page) -> None:
    """Keep the page as far as its second row goes."""
    row = page.locator(".rail").nth(1).bounding_box()
    assert row is not None
    height = row["y"] + row["height"] + 16
    whole: FloatRect = {"x": 0, "y": 0, "width": SIZE["width"], "height": height}
    png = page.screenshot(full_page=True, clip=whole)
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.save(TARGET, quality=82, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
