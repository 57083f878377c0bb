"""Pictures of pages: taken where clocks stand still, held against those kept."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page

from tests.browser import evening, frozen
from tests.browser.live_portal import LivePortal
from web import guard

_KEPT = Path(__file__).with_name("looks")
_SEEN = Path("var/looks")
SIZES = {"phone": (390, 844), "laptop": (1440, 900), "television": (1920, 1080)}
# A channel that differs by less, or a share of pixels below this, nobody sees: fonts
# are drawn a little differently by another version of the browser.
_LEAST_DIFFERENCE, _MOST_PIXELS = 48, 0.004
_PATIENCE_SECONDS = 5
# What says where and when a page was drawn.
_PASSING = "time, code, .figures div.panel"
_SETTLED = """async () => {
    await document.fonts.ready;
    const seen = [...document.images].filter((each) => {
        const box = each.getBoundingClientRect();
        return box.top < innerHeight && box.left < innerWidth && box.width > 0;
    });
    await Promise.all(seen.map((each) => each.decode().catch(() => null)));
}"""
# By a sheet: parts of a page that are kept up to date are drawn anew.
_HIDE = """(which) => {
    const sheet = new CSSStyleSheet();
    sheet.insertRule(`:is(${which}) { visibility: hidden !important; }`);
    document.adoptedStyleSheets.push(sheet);
}"""

_DASH = """(which) => {
    document.querySelectorAll(which).forEach((each) => (each.textContent = "–"));
}"""

Opened = Callable[..., Page]


@contextmanager
def opening(portal: LivePortal, chromium: Browser) -> Iterator[Opened]:
    """Give ``opened(who, path, size, theme)``: a page as somebody whose clock stands.

    ``query`` is opened before, as a television does with ``?tv=1``.
    """
    contexts = []

    def open_page(
        who: str | None,
        path: str,
        size: str,
        theme: str = "dark",
        query: str = "",
        locale: str = "en",
    ) -> Page:
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            # A quarter of the pixels: what matters is seen, and little has to be kept.
            device_scale_factor=0.5,
            reduced_motion="reduce",
            timezone_id="UTC",
            locale=locale,
            service_workers="block",
        )
        contexts.append(context)
        if who is not None:
            name, value = guard.COOKIE, evening.token(portal, who)
            context.add_cookies([{"name": name, "value": value, "url": portal.url}])
        page = context.new_page()
        page.clock.set_fixed_time(frozen.EVENING)
        page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
        if query:
            page.goto(f"{portal.url}/{query}")
        page.goto(portal.url + path, wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()


def compare(page: Page, name: str, chance: str = "") -> None:
    """Hold what a page shows against the picture of that name.

    What ``chance`` selects holds names of chance, whose width moves columns: a dash
    stands for each, and the rest is seen whole.
    """
    page.evaluate(_SETTLED)
    if chance:
        page.evaluate(_DASH, chance)
    else:
        page.evaluate(_HIDE, _PASSING)
    kept, seen = _KEPT / f"{name}.png", _SEEN / f"{name}.png"
    seen.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=seen, animations="disabled")
    if os.environ.get("MATINEE_LOOKS") == "keep":
        _KEPT.mkdir(exist_ok=True)
        # 128 colours, well chosen, show the same to whoever looks, in a third of the
        # bytes.
        with Image.open(seen) as picture:
            picture.convert("RGB").quantize(128, kmeans=2).save(kept, optimize=True)
        return
    assert kept.is_file(), f"nobody has looked at {seen} yet: `make looks` keeps it"
    share = _difference(kept, seen)
    until = time.monotonic() + _PATIENCE_SECONDS
    while share > _MOST_PIXELS and time.monotonic() < until:
        # A busy machine draws large pictures after the page that shows them.
        page.screenshot(path=seen, animations="disabled")
        share = _difference(kept, seen)
    assert share <= _MOST_PIXELS, (
        f"{share:.1%} of {name} look different: compare {seen} with {kept}, and if that"
        " is meant, `make looks`"
    )


def _difference(kept: Path, seen: Path) -> float:
    """Return the share of pixels that somebody would see to be different."""
    with Image.open(kept) as one, Image.open(seen) as other:
        assert one.size == other.size, f"{one.size} before, {other.size} now"
        apart = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    channels = [each.point(_clearly) for each in apart.split()]
    worst = ImageChops.lighter(ImageChops.lighter(*channels[:2]), channels[2])
    return worst.histogram()[255] / (worst.width * worst.height)


def _clearly(difference: int) -> int:
    return 255 if difference >= _LEAST_DIFFERENCE else 0
