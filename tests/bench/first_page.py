"""How long a browser takes to show the home page: its largest part, from nothing kept.

Chromium asks on loopback, each time as if for the first time; the middle of several is
held against the goal of the issue, on a phone, a laptop and a television.
"""

import statistics
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

from appliance.permissions import Role
from tests.bench import figures
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.browser import catalogue, chromium, evening, live_portal
from tests.browser.live_portal import LivePortal
from web import guard

_SCREENS = {
    "phone": (390, 844, "/"),
    "laptop": (1440, 900, "/"),
    "television": (1920, 1080, "/?tv=1"),
}
_TIMES = 7
_MILLISECONDS, _SHIFT = 1500, 0.05
_WATCH = """
window.painted = 0;
window.shifted = 0;
new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.painted = each.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def seconds(_films: Films, folder: Path) -> Iterator[Figure]:
    """Largest paint and shifts of the home page on three screens."""
    folder.mkdir(parents=True)
    with (
        live_portal.running(folder / "portal") as portal,
        chromium.launched() as browser,
    ):
        portal.make.account("the-viewer", roles=(Role.VIEWER,))
        scratch = folder / "pictures"
        scratch.mkdir()
        catalogue.fill(portal, scratch)
        signed = evening.token(portal, "the-viewer")
        for name, (width, height, path) in _SCREENS.items():
            seen = [
                _seen(browser, portal, signed, (width, height), path)
                for _ in range(_TIMES)
            ]
            painted = statistics.median(each for each, _ in seen)
            yield figures.ratio(
                *(f"first page, {name}", painted, _MILLISECONDS, 1.0),
                f"ms to the largest paint, middle of {_TIMES} ÷ {_MILLISECONDS} ms",
            )
            shifted = max(each for _, each in seen)
            yield figures.ratio(
                *(f"first page jumps, {name}", shifted, _SHIFT, 1.0),
                f"cumulative layout shift, worst of {_TIMES} ÷ {_SHIFT}",
            )


def _seen(
    browser: Browser,
    portal: LivePortal,
    signed: str,
    size: tuple[int, int],
    path: str,
) -> tuple[float, float]:
    """Open the page with nothing kept; return when it was painted, and its shifts."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height})
    try:
        context.add_cookies(
            [{"name": guard.COOKIE, "value": signed, "url": portal.url}]
        )
        page = context.new_page()
        page.add_init_script(_WATCH)
        page.goto(portal.url + path, wait_until="networkidle")
        page.mouse.wheel(0, 2000)
        page.wait_for_load_state("networkidle")
        painted, shifted = page.evaluate("() => [window.painted, window.shifted]")
        return float(painted), float(shifted)
    finally:
        context.close()
