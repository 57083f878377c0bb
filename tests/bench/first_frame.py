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

_TRIES = 5
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
    """The median of several starts, each on a fresh page; printed, without a goal."""
    with installed(folder) as running:
        running.command(
            "title", "add", films.short, "--title", "First", "--publish", "--wait"
        )
    with live_portal.running(folder) as portal, launched() as browser:
        portal.make.account("viewer", roles=(Role.VIEWER,))
        page = _signed_in(browser, portal.url)
        waits = []
        for _ in range(_TRIES):
            page.goto(f"{portal.url}/title/first")
            page.locator("a.play").first.click()
            waits.append(float(page.evaluate(_CLOCK)))
    note = f"median seconds of {_TRIES}, slowest {max(waits):.2f}; reference: 1 s"
    yield figures.ratio("first frame", statistics.median(waits), 1.0, None, note)


def _signed_in(browser: Browser, url: str) -> Page:
    page = browser.new_page()
    page.goto(f"{url}/login")
    page.get_by_label("User name").fill("viewer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    return page
