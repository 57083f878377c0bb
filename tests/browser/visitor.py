"""A visitor: a browser page that remembers everything that went wrong on it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Response

_DEADLINE_SECONDS = 20
# Said where a test wants no worker between a page and the server.
_HELD_BACK = "Service Worker registration blocked by Playwright"
_WATCH_CSP = """
document.addEventListener("securitypolicyviolation", (event) =>
    console.error("CSP", event.violatedDirective, event.blockedURI));
"""
# What a page is at, told where it does not come to what a test waits for.
_THERE = """() => ({
    at: location.pathname,
    told: [...document.querySelectorAll("[role=alert], dialog[open]")]
        .filter((each) => each.checkVisibility()).map((each) => each.innerText),
    films: [...document.querySelectorAll("video")].map((each) => ({
        time: each.currentTime, of: each.duration, ready: each.readyState,
        paused: each.paused, ended: each.ended, seeking: each.seeking,
        buffered: Array.from({ length: each.buffered.length }, (_, which) =>
            [each.buffered.start(which), each.buffered.end(which)]),
    })),
    now: Math.round(performance.now()),
    fetched: performance.getEntriesByType("resource").slice(-8).map((each) => [
        Math.round(each.startTime), Math.round(each.duration), each.responseStatus,
        each.name.slice(-40)].join(" ")),
})"""


@dataclass
class Visitor:
    """Wraps a page; ``problems`` fills with console errors, refusals, foreign calls.

    ``others`` are the hosts besides ``home`` that it may ask.
    """

    page: Page
    home: str
    problems: list[str] = field(default_factory=list)
    tolerated: list[str] = field(default_factory=list)
    others: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.page.add_init_script(_WATCH_CSP)
        self.page.on("console", self._console)
        self.page.on(
            "pageerror",
            lambda error: self.problems.append(f"page: {error.stack or error}"),
        )
        self.page.on("request", lambda request: self._foreign(request.url))

    def go(self, path: str) -> Response:
        """Open a page of the portal and wait until it has settled."""
        answer = self.page.goto(self.home + path, wait_until="load")
        assert answer is not None
        self.page.evaluate("() => document.fonts.ready")
        return answer

    def until(self, wanted: Callable[[], Any], what: str) -> Any:
        """Ask again and again until the answer is true; return it.

        The page's own wait_for_function would need unsafe-eval.
        """
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not (answer := wanted()):
            assert time.monotonic() < deadline, (
                f"{what}: not within the time; there is {self.page.evaluate(_THERE)}"
            )
            self.page.wait_for_timeout(50)
        return answer

    def press_code(self, code: int) -> None:
        """Press a key that televisions know by its number alone.

        By the browser's own input: a script that leaves its page may never return.
        """
        wire = self.page.context.new_cdp_session(self.page)
        for kind in ("rawKeyDown", "keyUp"):
            wire.send(
                "Input.dispatchKeyEvent", {"type": kind, "windowsVirtualKeyCode": code}
            )

    def expect_problem(self, words: str) -> None:
        """Take note of an error that the test provoked, and forget it."""
        assert any(words in each for each in self.problems), self.problems
        self.problems[:] = [each for each in self.problems if words not in each]

    def _console(self, message: ConsoleMessage) -> None:
        said = f"console {message.type}: {message.text} {message.location['url']}"
        if message.type not in ("error", "warning") or _HELD_BACK in said:
            return
        if not any(words in said for words in self.tolerated):
            self.problems.append(said)

    def _foreign(self, url: str) -> None:
        if not url.startswith((self.home, *self.others, "data:", "blob:")):
            self.problems.append(f"foreign request: {url}")
