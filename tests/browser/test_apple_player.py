"""Apple's browsers have no ClearKey that plays films: there the player decrypts them.

There is no Safari here. So Chromium says that it is one, before the player looks: what
runs is the player's own decryption, and Chromium gets to see nothing but plain film.
"""

import pytest
from playwright.sync_api import Request, Route

from appliance.catalog.titles import Title
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor
from tests.browser.watching import after, choose_quality, requested, state

pytestmark = [pytest.mark.browser, pytest.mark.media]

_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.5 Safari/605.1.15"
)
# A sample entry named encv or enca says that what follows is encrypted.
_PRETEND = """
Object.defineProperty(navigator, "vendor", { get: () => "Apple Computer, Inc." });
Object.defineProperty(navigator, "platform", { get: () => "MacIntel" });
Object.defineProperty(navigator, "userAgentData", { get: () => undefined });
window.appended = { encrypted: 0, clear: 0 };
const append = SourceBuffer.prototype.appendBuffer;
SourceBuffer.prototype.appendBuffer = function (data) {
    const text = new TextDecoder("latin1").decode(data);
    if (text.slice(0, 2000).includes("moov")) {
        appended[/enc[va]/.test(text) ? "encrypted" : "clear"] += 1;
    }
    return append.call(this, data);
};
"""


@pytest.mark.parametrize("scheme", ["cbcs", "cenc"])
def test_the_player_decrypts_by_itself_where_the_browser_does_not(
    visit: Visit, locked: Title, old: Title, scheme: str
) -> None:
    visitor = _on_a_mac(visit)
    title = locked if scheme == "cbcs" else old
    visitor.go(f"/watch/{title.slug}?from=0")

    first = visitor.until(lambda: after(visitor, 0.5), "it plays")
    later = visitor.until(lambda: after(visitor, first["time"] + 2), "time goes on")

    assert later["frames"] > first["frames"] + 24
    assert later["sound"] > first["sound"]
    choose_quality(visitor, "720p")
    appended = visitor.page.evaluate("() => appended")
    assert appended["encrypted"] == 0
    assert appended["clear"] >= 2


def test_hls_is_left_alone_there_without_fairplay(visit: Visit, locked: Title) -> None:
    visitor = _on_a_mac(visit)
    visitor.go(f"/watch/{locked.slug}?format=hls")

    visitor.until(lambda: after(visitor, 0.5), "it plays")
    assert requested(visitor, r"\.mpd$")


def test_segments_wait_for_a_licence_that_is_slow(visit: Visit, locked: Title) -> None:
    visitor = _on_a_mac(visit)
    held: list[Route] = []
    fetched: list[Request] = []
    visitor.page.on("requestfinished", lambda request: fetched.append(request))
    visitor.page.route("**/licence/clearkey", lambda route: held.append(route))
    visitor.go(f"/watch/{locked.slug}?from=0")
    visitor.until(lambda: _segments(fetched) >= 2, "segments have come")
    assert not state(visitor)["frames"]

    held[0].continue_()

    visitor.until(lambda: after(visitor, 2), "it plays")
    assert not visitor.page.get_by_role("alert").is_visible()


def test_a_licence_that_is_refused_is_explained_there_too(
    visit: Visit, locked: Title
) -> None:
    visitor = _on_a_mac(visit)
    problem = {"code": "licence.not-allowed", "detail": "It is over.", "status": 403}
    visitor.page.route(
        "**/licence/clearkey", lambda route: route.fulfill(status=403, json=problem)
    )
    visitor.go(f"/watch/{locked.slug}")

    notice = visitor.page.get_by_role("alert")
    visitor.until(notice.is_visible, "the notice")
    assert "You may not watch this film now" in notice.inner_text()
    assert "It is over." in notice.inner_text()
    visitor.expect_problem("403")


def _on_a_mac(visit: Visit) -> Visitor:
    visitor = visit(user_agent=_AGENT)
    visitor.page.add_init_script(_PRETEND)
    return visitor


def _segments(requests: list[Request]) -> int:
    return sum(each.url.endswith(".m4s") for each in requests)
