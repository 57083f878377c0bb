"""One account on several screens: limits, being stopped, leaving, and who watches."""

import sys
import time
from contextlib import suppress

import pytest
from playwright.sync_api import Request

from appliance.catalog.titles import Title
from appliance.db import write
from appliance.errors import Conflict
from appliance.media import assets
from appliance.permissions import SYSTEM
from appliance.playback import sessions, streams
from appliance.playback.sessions import StopReason
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor
from tests.browser.watching import after, requested, said, state, watching

pytestmark = [pytest.mark.browser, pytest.mark.media]

# Every account may have as many streams as a right of its own says.
_STREAMS = "update entitlements set streams = ?"
_STOP = """(session) => fetch(`/api/v1/playback/${session}/stop`, {
    method: "POST",
    headers: {
        "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content,
    },
}).then((answer) => answer.status)"""
_LICENCE = """(token) => fetch("/licence/clearkey", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify({ kids: ["AAAAAAAAAAAAAAAAAAAAAA"], type: "temporary" }),
}).then(async (answer) => [answer.status, (await answer.json()).code])"""


def test_a_stream_that_is_stopped_elsewhere_says_so_within_seconds(
    visit: Visit, locked: Title, capsys: pytest.CaptureFixture[str]
) -> None:
    here = visit()
    asked: list[Request] = []
    here.page.on("request", lambda request: asked.append(request))
    here.go(f"/watch/{locked.slug}?from=2")
    here.until(lambda: after(here, 2.5), "it plays")
    token = next(
        each.headers["authorization"].split()[1]
        for each in asked
        if "/licence/" in each.url
    )
    elsewhere = visit()
    elsewhere.go("/")

    began = time.monotonic()
    assert elsewhere.page.evaluate(_STOP, token.split(".")[3]) == 204
    door = elsewhere.page.evaluate(_LICENCE, token)
    licence = time.monotonic() - began
    words = said(here)
    page = time.monotonic() - began

    assert door == [410, "licence.ended"]
    assert "Stopped from another device" in words
    assert "Your place (0:0" in words
    with capsys.disabled():
        sys.stdout.write(
            f"\nkick: no licence after {licence:.2f} s, page {page:.2f} s\n"
        )
    here.page.get_by_role("button", name="Go on").click()
    here.until(lambda: after(here, 3), "it goes on from there")
    elsewhere.expect_problem("410")


def test_a_stream_that_is_ended_in_the_studio_says_so(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = watching(visit, locked, "?from=0")
    sessions.terminate(portal.db, SYSTEM, _newest(portal, locked)["public_id"])

    assert "Whoever runs this service has ended it" in said(visitor)


def test_where_there_is_no_room_one_can_be_made(
    visit: Visit, portal: LivePortal, locked: Title, film: Title
) -> None:
    _allow_one_stream(portal)
    try:
        there = watching(visit, film, "?from=0")
        here = visit()
        here.go(f"/watch/{locked.slug}?from=4")
        dialog = here.page.get_by_role("dialog", name="You are watching elsewhere")
        here.until(dialog.is_visible, "the dialog")

        words = dialog.inner_text()
        assert "one film at once" in words
        assert film.name in words
        assert "Chrome on Linux" in words
        assert violations(here) == []
        dialog.get_by_role("button", name=f"Stop {film.name}").click()

        here.until(lambda: after(here, 4.5), "it plays here")
        assert "Stopped from another device" in said(there)
        there.page.get_by_role("button", name="Go on").click()
        asks = there.page.get_by_role("dialog", name="You are watching elsewhere")
        there.until(asks.is_visible, "now the other must ask")
        there.page.keyboard.press("Escape")
        assert "Stop one to watch here" in said(there)
        there.expect_problem("409")
        here.expect_problem("409")
    finally:
        with write(portal.db):
            portal.db.conn.execute(_STREAMS, (None,))


def test_leaving_the_page_frees_its_place_at_once_and_keeps_where_it_was(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = watching(visit, locked, "?from=12")
    visitor.until(lambda: after(visitor, 13), "it plays on")
    stopped_at = state(visitor)["time"]

    visitor.go("/")

    visitor.until(lambda: _newest(portal, locked)["end_reason"] == "closed", "closed")
    assert abs(_place(portal, locked) - stopped_at) < 1


def test_a_reload_takes_the_place_of_the_session_before(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    _allow_one_stream(portal)
    try:
        visitor = watching(visit, locked, "?from=2")
        # As when the browser crashed: nothing is said to the server on leaving.
        visitor.page.route("**/api/v1/playback/*", lambda route: route.abort())
        visitor.page.reload()
        visitor.until(lambda: after(visitor, 2.5), "it plays")
    finally:
        with write(portal.db):
            portal.db.conn.execute(_STREAMS, (None,))
    visitor.problems.clear()


def test_a_page_that_the_browser_brings_back_goes_on(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = watching(visit, locked, "?from=0")
    _dispatch(visitor, "pagehide")
    visitor.until(lambda: _newest(portal, locked)["end_reason"] == "closed", "closed")

    _dispatch(visitor, "pageshow")

    visitor.until(lambda: not _newest(portal, locked)["end_reason"], "a new session")
    before = state(visitor)["time"]
    visitor.until(lambda: after(visitor, before + 1), "it plays")
    assert not visitor.page.get_by_role("alert").is_visible()


def test_a_film_that_is_replaced_is_loaded_again_without_a_word(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = watching(visit, locked, "?from=9")
    asked: list[Request] = []
    visitor.page.on("request", lambda request: asked.append(request))
    film = assets.playable(portal.db, locked.id)
    assert film is not None

    with write(portal.db):
        sessions.end_of_asset(portal.db, SYSTEM, film.id, StopReason.REPLACED)

    visitor.until(
        lambda: any(each.url.endswith(".mpd") for each in asked), "another manifest"
    )
    visitor.until(lambda: any("/licence/" in each.url for each in asked), "a licence")
    visitor.until(lambda: after(visitor, 10), "it goes on")
    assert state(visitor)["time"] < 25
    session = _newest(portal, locked)["public_id"]
    licence = next(each for each in asked if "/licence/" in each.url)
    assert licence.headers["authorization"].split(".")[3] == session
    assert not visitor.page.get_by_role("alert").is_visible()


def test_a_paused_film_that_is_replaced_stays_paused(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = watching(visit, locked, "?from=9")
    visitor.page.keyboard.press("k")
    visitor.until(lambda: state(visitor)["paused"], "paused")
    place = state(visitor)["time"]
    film = assets.playable(portal.db, locked.id)
    assert film is not None

    with write(portal.db):
        sessions.end_of_asset(portal.db, SYSTEM, film.id, StopReason.REPLACED)
    visitor.until(lambda: len(requested(visitor, r"\.mpd$")) == 2, "another manifest")
    visitor.until(lambda: abs(state(visitor)["time"] - place) < 0.3, "at its place")

    assert state(visitor)["paused"]


def test_the_viewers_name_moves_over_a_protected_picture(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = watching(visit, locked, "?from=0")
    mark = visitor.page.locator(".watermark")

    assert "Viewer" in mark.inner_text()
    assert _newest(portal, locked)["public_id"][:8] in mark.inner_text()
    first = _corner(visitor)
    visitor.until(lambda: _corner(visitor) != first, "it moves")
    for _ in range(2):
        visitor.page.keyboard.press("f")
        visitor.until(lambda: _inside(visitor), "inside the picture")
    visitor.page.set_viewport_size({"width": 390, "height": 700})
    visitor.until(lambda: _inside(visitor), "inside a small picture")
    # It takes no clicks: the picture below it does.
    assert mark.evaluate("mark => getComputedStyle(mark).pointerEvents") == "none"
    visitor.page.evaluate("() => document.querySelector('.watermark').remove()")
    visitor.until(mark.is_visible, "it comes back")


def test_a_clear_film_bears_no_name(visit: Visit, film: Title) -> None:
    visitor = watching(visit, film, "?from=0")

    assert not visitor.page.locator(".watermark").count()


def test_the_name_jumps_for_those_who_want_no_motion(
    visit: Visit, locked: Title
) -> None:
    visitor = visit(reduced_motion="reduce")
    visitor.go(f"/watch/{locked.slug}")
    mark = visitor.page.locator(".watermark")
    visitor.until(mark.count, "the name")

    duration = mark.evaluate("mark => getComputedStyle(mark).transitionDuration")
    assert duration == "0s"


def _allow_one_stream(portal: LivePortal) -> None:
    """Let every account have one stream, and end what others have left open."""
    with write(portal.db):
        portal.db.conn.execute(_STREAMS, (1,))
    for each in streams.everybodys(portal.db, SYSTEM):
        # A page that was closed may end its own in this moment.
        with suppress(Conflict):
            sessions.terminate(portal.db, SYSTEM, each.session)


def _newest(portal: LivePortal, title: Title) -> dict[str, str]:
    row = portal.db.one(
        """
        select p.* from playback_sessions p
        join assets on assets.id = p.asset_id
        where assets.title_id = ?
        order by p.id desc limit 1
        """,
        (title.id,),
    )
    assert row is not None
    return dict(row)


def _place(portal: LivePortal, title: Title) -> float:
    found: float = portal.db.value(
        """
        select position from progress
        join assets on assets.id = progress.asset_id
        where assets.title_id = ?
        order by updated_at desc limit 1
        """,
        (title.id,),
    )
    return found


def _dispatch(visitor: Visitor, name: str) -> None:
    visitor.page.evaluate(
        "(name) => window.dispatchEvent("
        " new PageTransitionEvent(name, { persisted: true }))",
        name,
    )


def _corner(visitor: Visitor) -> tuple[float, float]:
    box = visitor.page.locator(".watermark").bounding_box()
    assert box is not None
    return round(box["x"], 1), round(box["y"], 1)


def _inside(visitor: Visitor) -> bool:
    """Say whether the mark is on the picture, and in what fills the screen."""
    found: bool = visitor.page.evaluate(
        """() => {
            const mark = document.querySelector(".watermark").getBoundingClientRect();
            const stage = document.getElementById("stage");
            const video = document.getElementById("video");
            const box = stage.getBoundingClientRect();
            const height = Math.min(
                box.height, box.width * video.videoHeight / video.videoWidth);
            const top = (box.height - height) / 2;
            const full = document.fullscreenElement;
            return mark.left >= box.left && mark.right <= box.right &&
                mark.top >= top && mark.bottom <= top + height &&
                (full === null || full.contains(stage));
        }"""
    )
    return found
