"""What browsers must be to open protected films, and what the others are told."""

import pytest
from playwright.sync_api import Route

from appliance.catalog.titles import Title
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor
from tests.browser.watching import after, requested, said
from tests.builders import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.media]


def test_one_page_serves_browsers_with_widevine_and_those_without(
    visit: Visit, locked: Title
) -> None:
    visitor = visit()

    def offer(route: Route) -> None:
        """Offer Widevine as well, which this browser does not have."""
        answer = route.fetch()
        body = answer.json()
        body["drm"] = {"com.widevine.alpha": "/licence/widevine"} | body["drm"]
        body["certificates"] = {"com.widevine.alpha": "/licence/widevine/certificate"}
        route.fulfill(response=answer, json=body)

    visitor.page.route("**/api/v1/playback", offer)
    visitor.go(f"/watch/{locked.slug}?from=0")

    visitor.until(lambda: after(visitor, 0.5), "it plays with ClearKey")
    assert requested(visitor, "/licence/") == [f"{visitor.home}/licence/clearkey"]


def test_a_page_without_https_says_what_it_needs(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = visit(None)
    visitor.home = portal.url.replace("127.0.0.1", "portal.test")
    _sign_in(visitor, portal)
    visitor.go(f"/watch/{locked.slug}")

    words = said(visitor)
    assert "browsers open protected films over https only" in words
    assert visitor.page.get_by_role("alert").get_by_role("link").is_visible()
    visitor.until(lambda: _ended(portal, locked) == "closed", "its session has ended")


def test_a_browser_that_lends_no_hand_to_films_is_told_which_do(
    visit: Visit, locked: Title, film: Title
) -> None:
    visitor = visit()
    visitor.page.add_init_script(
        "delete window.MediaSource; delete window.ManagedMediaSource"
    )
    visitor.go(f"/watch/{locked.slug}")

    words = said(visitor)
    assert "This browser can’t open this film" in words
    assert "Chrome, Edge, Firefox or Safari" in words
    visitor.go(f"/watch/{film.slug}?from=0")
    visitor.until(lambda: after(visitor, 0.5), "a clear film plays in it")
    visitor.expect_problem("x-mpegurl")


def test_a_browser_without_the_key_system_is_told_which_has_it(
    visit: Visit, locked: Title
) -> None:
    visitor = visit()
    visitor.page.add_init_script(_WITHOUT_KEY_SYSTEMS)
    visitor.go(f"/watch/{locked.slug}")

    words = said(visitor)
    assert "This browser can’t open this film" in words
    assert "Chrome, Edge, Firefox or Safari" in words


_WITHOUT_KEY_SYSTEMS = """
const ask = navigator.mediaCapabilities.decodingInfo.bind(navigator.mediaCapabilities);
navigator.mediaCapabilities.decodingInfo = (wish) =>
    wish.keySystemConfiguration
        ? Promise.resolve({ supported: false, keySystemAccess: null })
        : ask(wish);
"""


def _sign_in(visitor: Visitor, portal: LivePortal) -> None:
    visitor.go("/login")
    page = visitor.page
    page.get_by_label("User name").fill("the-viewer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{visitor.home}/")


def _ended(portal: LivePortal, title: Title) -> str:
    """Return why the newest session of a title has ended; empty while it lives."""
    reason: str = portal.db.value(
        """
        select p.end_reason from playback_sessions p
        join assets on assets.id = p.asset_id
        where assets.title_id = ?
        order by p.id desc limit 1
        """,
        (title.id,),
    )
    return reason
