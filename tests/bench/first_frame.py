"""From pressing Play to the first frame on the screen, in Chromium on loopback."""

import statistics
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

from appliance.permissions import Role
from tests.bench import figures
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.bench.installation import installed
from tests.browser import live_portal
from tests.browser.chromium import launched
from tests.builders import PASSWORD

_TRIES = 7
_CLEAR, _LOCKED = "clear", "locked"
_CLOCK = """
() => new Promise((seen) => {
  const began = performance.timeOrigin;
  const look = () => {
    const video = document.querySelector("video");
    if (video === null) { requestAnimationFrame(look); return; }
    video.requestVideoFrameCallback(() =>
      seen((performance.timeOrigin + performance.now() - began) / 1000));
  };
  look();
})
"""


def seconds(films: Films, folder: Path) -> Iterator[Figure]:
    """Medians of starts on fresh pages: of a clear film, and of it encrypted.

    The encrypted one is cbcs over DASH with ClearKey, without a clear lead: nothing is
    shown before a licence has come. The two take turns, so that what else runs on the
    machine falls on both.
    """
    with installed(folder) as running:
        for name, how in ((_CLEAR, "--no-protect"), (_LOCKED, "--protect")):
            add = ("title", "add", films.short, "--title", name, "--publish", "--wait")
            running.command(*add, how)
    with live_portal.running(folder) as portal, launched() as browser:
        portal.make.account("viewer", roles=(Role.VIEWER,))
        page = _signed_in(browser, portal.url)
        waits: dict[str, list[float]] = {_CLEAR: [], _LOCKED: []}
        _first_frame(page, portal.url, _CLEAR)
        for _ in range(_TRIES):
            for name, found in waits.items():
                found.append(_first_frame(page, portal.url, name))
    clear, locked = (statistics.median(found) for found in waits.values())
    slowest = max(waits[_CLEAR])
    note = f"median seconds of {_TRIES}, slowest {slowest:.2f}; reference: 1 s"
    yield figures.ratio("first frame", clear, 1.0, None, note)
    note = (
        f"encrypted ÷ clear, medians of {_TRIES}, slowest {max(waits[_LOCKED]):.2f} s"
    )
    yield figures.ratio("first frame encrypted", locked, clear, 1.3, note)


def _first_frame(page: Page, url: str, name: str) -> float:
    page.goto(f"{url}/title/{name}")
    page.locator("a.play").first.click()
    return float(page.evaluate(_CLOCK))


def _signed_in(browser: Browser, url: str) -> Page:
    page = browser.new_page()
    page.goto(f"{url}/login")
    page.get_by_label("User name").fill("viewer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    return page
