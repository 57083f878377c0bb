"""How the player looks, and the Studio's pages of a film that really plays.

`make looks` takes the pictures anew: look at what changed before it is committed.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.catalog.titles import Title
from appliance.clock import FixedClock
from appliance.permissions import Role
from tests.browser import episodes, films, frozen, live_portal, making, pictures
from tests.browser.catalogue import paint
from tests.browser.live_portal import LivePortal
from tests.browser.pictures import SIZES, Opened

pytestmark = pytest.mark.browser

_PATIENCE_SECONDS = 20

_PAGES = {
    "studio-captions": "/studio/titles/{film}/captions/{captions}",
    "studio-markers": "/studio/titles/{film}/markers",
    "studio-quality": "/studio/titles/{film}/quality",
    "studio-reviews": "/studio/quality",
}
# Where the film stands, the keys that are pressed, and what is to be seen then.
_STATES = {
    "skip": (2.0, "", ".skip-part"),
    "player": (7.0, "", ".shaka-text-container span"),
    "transcript": (7.0, "t", "#panel .transcript [aria-current]"),
    "episodes": (7.0, "Escape e", "#panel .places [aria-current]"),
    "next": (13.0, "Escape", "#next-up"),
}
_STANDS = """async (video, seconds) => {
    const drawn = new Promise((done) => video.requestVideoFrameCallback(done));
    video.currentTime = seconds;
    await drawn;
}"""
# The browser's own controls turn a wheel for as long as they like.
_QUIET = """() => {
    const videos = [...document.querySelectorAll("video")];
    videos.forEach((each) => (each.controls = false));
    return videos.every((each) => each.readyState === 4);
}"""
_LOADED = """() => {
    const { buffered, duration } = document.querySelector("video");
    return buffered.length && buffered.end(buffered.length - 1) > duration - 0.2;
}"""


@dataclass(frozen=True, slots=True)
class Cinema:
    """A portal whose clock stands still, with films that play."""

    portal: LivePortal
    film: Title
    slugs: dict[str, str]


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    home, scratch = map(tmp_path_factory.mktemp, ("cinema", "films"))
    application = "tests.browser.frozen:application()"
    with live_portal.running(home, application, FixedClock(frozen.EVENING)) as portal:
        for role in (Role.VIEWER, Role.ADMINISTRATOR):
            portal.make.account(f"the-{role}", roles=(role,), display_name=role.title())
        episodes.prefer(portal, captions="en")
        series = portal.make.title("Harbour Lights", kind="series", genres=("Drama",))
        part: dict[str, Any]
        part = {"kind": "episode", "parent_id": series.id, "season_number": 1}
        film = films.publish(
            portal, scratch, seconds=16, name="The Key", episode_number=1, **part
        )
        for number, name, hue in (
            (2, "The Ledger", "#3b2a6b"),
            (3, "Low Water", "#6b2f1a"),
        ):
            picture = paint(scratch / f"{number}.png", hue)
            part |= {"name": name, "episode_number": number}
            films.again(portal, film, picture=picture, **part)
        made = making.fill(portal, film)
        yield Cinema(portal, film, {"film": film.slug, "captions": made.captions})


@pytest.fixture
def opened(cinema: Cinema, chromium: Browser) -> Iterator[Opened]:
    with pictures.opening(cinema.portal, chromium) as open_path:
        yield open_path


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", _PAGES)
def test_a_page_of_a_film_looks_as_it_did(
    opened: Opened, cinema: Cinema, name: str, size: str
) -> None:
    page = opened("the-administrator", _PAGES[name].format(**cinema.slugs), size)
    _wait(page, _QUIET)
    pictures.compare(page, f"{name}-{size}")


@pytest.mark.parametrize(
    ("size", "query"), [("phone", ""), ("laptop", ""), ("television", "?tv=1")]
)
def test_the_player_looks_as_it_did(
    opened: Opened, cinema: Cinema, size: str, query: str
) -> None:
    watch = f"/watch/{cinema.film.slug}?from=1"
    page = opened("the-viewer", watch, size, query=query)
    video = page.locator("#stage[data-plays] video")
    video.evaluate("(video) => video.pause()")
    _wait(page, _LOADED)
    for name, (seconds, keys, seen) in _STATES.items():
        video.evaluate(_STANDS, seconds)
        for key in keys.split():
            page.keyboard.press(key)
        page.locator(seen).first.wait_for()
        clock = page.locator(".shaka-current-time")
        expect(clock).to_have_text(f"0:{seconds:02.0f} / 0:15")
        pictures.compare(page, f"{name}-{'sofa' if query else size}")


def _wait(page: Page, wanted: str) -> None:
    """Wait for what the page's own wait_for_function would need unsafe-eval for."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not page.evaluate(wanted):
        assert time.monotonic() < deadline, wanted
        page.wait_for_timeout(50)
