"""The player in a browser: it plays, obeys its keys, resumes, and explains itself."""

import re
from functools import partial

import pytest
from playwright.sync_api import Route

from appliance.accounts import people
from appliance.catalog import states
from appliance.catalog.titles import Title
from appliance.delivery import tokens
from appliance.media import publishing
from appliance.permissions import SYSTEM, Role
from tests.browser import films
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor
from tests.browser.watching import (
    after,
    requested,
    state,
    token_in,
    watching,
)

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("format", ["dash", "hls"])
def test_a_film_plays_in_either_format(visit: Visit, film: Title, format: str) -> None:
    visitor = watching(visit, film, f"?format={format}&from=0")

    visitor.until(lambda: _smooth_seconds(visitor), "it plays smoothly")
    assert state(visitor)["width"] >= 416
    manifests = requested(visitor, r"\.(mpd|m3u8)$")
    assert manifests
    assert all(url.endswith("mpd" if format == "dash" else "m3u8") for url in manifests)


def test_the_keys_do_what_their_list_says(visit: Visit, film: Title) -> None:
    visitor = watching(visit, film, "?from=0")
    press = visitor.page.keyboard.press

    press("k")
    visitor.until(lambda: state(visitor)["paused"], "K pauses")
    for key, place in (
        ("5", 32.0),
        ("l", 42.0),
        ("j", 32.0),
        ("ArrowRight", 42.0),
        ("ArrowLeft", 32.0),
        ("Home", 0.0),
        ("Shift+End", 0.0),
        ("PageUp", 60.0),
        ("PageDown", 0.0),
        ("1", 6.4),
    ):
        press(key)
        visitor.until(partial(_stands_at, visitor, place), key)
    press(".")
    visitor.until(lambda: 6.42 < state(visitor)["time"] < 6.5, "a frame on")
    press("m")
    visitor.until(lambda: state(visitor)["muted"], "M mutes")
    press("ArrowDown")
    visitor.until(lambda: state(visitor)["volume"] == 0.95, "softer")
    press(">")
    visitor.until(lambda: state(visitor)["rate"] == 1.25, "faster")
    press("<")
    visitor.until(lambda: state(visitor)["rate"] == 1, "slower")
    press("f")
    visitor.until(lambda: state(visitor)["fullscreen"], "full screen")
    press("f")
    visitor.until(lambda: not state(visitor)["fullscreen"], "and back")
    press("Space")
    visitor.until(lambda: not state(visitor)["paused"], "Space plays")


def test_c_shows_the_subtitles_and_hides_them(visit: Visit, film: Title) -> None:
    visitor = watching(visit, film, "?from=6")
    shown = visitor.page.locator(".shaka-text-container", has_text=films.CAPTION)

    visitor.page.keyboard.press("c")
    visitor.until(shown.count, "subtitles come")
    visitor.page.keyboard.press("c")
    visitor.until(lambda: not shown.count(), "subtitles go")


def test_a_question_mark_lists_the_keys_and_escape_closes_the_list(
    visit: Visit, film: Title
) -> None:
    visitor = watching(visit, film)
    keys = visitor.page.get_by_role("dialog", name="Keys")

    visitor.page.keyboard.press("?")
    assert keys.is_visible()
    assert violations(visitor) == []
    before = state(visitor)["paused"]
    visitor.page.keyboard.press("k")
    visitor.page.keyboard.press("Escape")

    assert not keys.is_visible()
    assert state(visitor)["paused"] == before


def test_shortcuts_of_the_browser_are_left_alone(visit: Visit, film: Title) -> None:
    visitor = watching(visit, film)

    visitor.page.keyboard.press("Control+k")
    visitor.page.keyboard.press("Alt+m")

    found = state(visitor)
    assert not found["paused"]
    assert not found["muted"]


def test_the_seek_bar_shows_pictures(visit: Visit, film: Title) -> None:
    visitor = watching(visit, film)
    picture = visitor.page.locator(".shaka-player-ui-thumbnail-image")

    _hover_seek_bar(visitor, 0.4)

    width = "image => image.src.includes('/media/') ? image.naturalWidth : 0"
    visitor.until(lambda: picture.count() and picture.evaluate(width), "a picture")
    assert picture.evaluate(width) == 800


def test_quality_speed_subtitles_and_language_can_be_chosen_in_a_menu(
    visit: Visit, film: Title
) -> None:
    visitor = watching(visit, film)
    visitor.page.mouse.move(700, 400)
    visitor.page.locator(".shaka-overflow-menu-button").click()
    menu = visitor.page.locator(".shaka-overflow-menu")

    offered = menu.inner_text()
    for word in ("Captions", "Language", "Resolution", "Playback speed"):
        assert word in offered
    visitor.page.locator(".shaka-resolution-button").click()
    visitor.page.locator(".shaka-resolutions button", has_text="234p").click()
    visitor.until(lambda: state(visitor)["width"] == 416, "the lowest quality")


def test_a_reload_goes_on_where_the_viewer_was(visit: Visit, film: Title) -> None:
    visitor = watching(visit, film, "?from=0")
    visitor.page.keyboard.press("5")
    visitor.until(lambda: after(visitor, 33), "time goes on from the middle")

    visitor.go(f"/watch/{film.slug}")
    visitor.until(lambda: after(visitor, 1), "it plays again")

    assert 32 < state(visitor)["time"] < 45
    visitor.go("/")
    row = visitor.page.locator("[data-row=continue]")
    assert film.name in row.inner_text()
    visitor.go(f"/title/{film.slug}")
    assert visitor.page.get_by_role("link", name=re.compile("Resume · .* left")).count()


def test_the_token_in_the_path_is_swapped_while_the_film_plays(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    visitor = watching(visit, film, "?from=0")
    requests: list[str] = []
    visitor.page.on("request", lambda request: requests.append(request.url))
    manifest = requested(visitor, r"\.mpd$")[0]
    first, asset = token_in(manifest), manifest.split("/")[-2]
    visitor.page.route(
        "**/heartbeat", lambda route: _answer_with_another_token(portal, asset, route)
    )

    # Before it is there, seeking would fetch all of the film by the first.
    visitor.page.wait_for_event(
        "response", lambda answer: answer.url.endswith("/heartbeat")
    )
    visitor.until(lambda: _token_changes(visitor, first, requests), "another token")

    visitor.until(
        lambda: _picture_by_another_token(visitor, first, requests),
        "a picture by another token",
    )


def test_a_film_taken_down_while_it_plays_stops_with_a_sentence(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    visitor = watching(visit, film)
    # The browser may ask for the lock screen's picture just when the film has gone.
    visitor.tolerated.append("/artwork/")

    states.unpublish(portal.db, SYSTEM, film.slug)
    try:
        notice = visitor.page.get_by_role("alert")
        visitor.until(notice.is_visible, "the notice")
    finally:
        publishing.publish(portal.db, portal.settings, SYSTEM, film.slug)

    assert "has left the library" in notice.inner_text()
    assert notice.get_by_role("link", name="Back to").is_visible()
    assert state(visitor)["paused"]


def test_a_broken_stream_is_explained_and_retry_goes_on_from_there(
    visit: Visit, film: Title
) -> None:
    visitor = visit()
    visitor.page.route("**/*.m4s", lambda route: route.abort())
    visitor.go(f"/watch/{film.slug}?from=20")
    notice = visitor.page.get_by_role("alert")
    visitor.until(notice.is_visible, "the notice")

    visitor.page.unroute("**/*.m4s")
    notice.get_by_role("button", name="Try again").click()

    visitor.until(lambda: after(visitor, 21), "it plays from its place")
    assert not notice.is_visible()
    visitor.expect_problem("ERR_FAILED")


def test_a_token_that_ran_out_while_the_machine_slept_is_renewed_without_a_word(
    visit: Visit, film: Title
) -> None:
    visitor = visit()
    sessions: list[str] = []

    def segment(route: Route) -> None:
        """Refuse the token of the first session, as one that has run out."""
        session = token_in(route.request.url).split(".")[3]
        if session not in sessions:
            sessions.append(session)
        if session == sessions[0]:
            route.fulfill(status=410)
        else:
            route.fallback()

    visitor.page.route("**/*.m4s", segment)
    visitor.go(f"/watch/{film.slug}?from=20")

    visitor.until(lambda: after(visitor, 21), "it plays from its place")
    assert len(sessions) == 2
    assert not visitor.page.get_by_role("alert").is_visible()
    visitor.expect_problem("410")


def test_pointing_at_play_fetches_the_player_ahead(visit: Visit, film: Title) -> None:
    visitor = visit()
    visitor.go(f"/title/{film.slug}")
    assert not requested(visitor, "shaka-player")

    visitor.page.locator("a.play").first.hover()

    visitor.until(lambda: requested(visitor, "shaka-player"), "the player is fetched")


def test_a_title_without_a_film_says_so(visit: Visit, portal: LivePortal) -> None:
    title = portal.make.title("Still in the making")
    visitor = visit()
    visitor.go(f"/watch/{title.slug}")

    notice = visitor.page.get_by_role("alert")
    visitor.until(notice.is_visible, "the notice")
    assert "no film that can be played yet" in notice.inner_text()
    assert violations(visitor) == []
    visitor.expect_problem("409")


def test_somebody_disabled_while_watching_is_sent_to_sign_in(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    visitor = watching(visit, film, role=Role.CONTRIBUTOR)

    people.disable(portal.db, SYSTEM, "the-contributor")
    try:
        notice = visitor.page.get_by_role("alert")
        visitor.until(notice.is_visible, "the notice")
        assert "signed out" in notice.inner_text()
        assert notice.get_by_role("link", name="Sign in").is_visible()
    finally:
        people.enable(portal.db, SYSTEM, "the-contributor")
    visitor.expect_problem("401")


def test_a_phone_gets_controls_that_fit(visit: Visit, film: Title) -> None:
    visitor = visit(width=320, height=640, has_touch=True)
    visitor.go(f"/watch/{film.slug}")
    visitor.until(lambda: after(visitor, 0.5), "it plays")

    visitor.page.touchscreen.tap(160, 200)
    buttons = visitor.page.locator(".shaka-controls-button-panel button:visible")
    for number in range(buttons.count()):
        box = buttons.nth(number).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320


def test_a_rendition_that_cannot_be_had_gives_way_to_another(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    best = portal.db.value(
        """
        select tracks.public_id from tracks
        join assets on assets.id = tracks.asset_id
        where assets.title_id = ? and tracks.kind = 'video'
        order by tracks.height desc limit 1
        """,
        (film.id,),
    )
    visitor = visit()
    visitor.page.route(f"**/tracks/{best}/*.m4s", lambda route: route.abort())
    visitor.go(f"/watch/{film.slug}?from=20")

    visitor.until(lambda: after(visitor, 21), "it plays all the same")
    assert state(visitor)["height"] == 234
    assert not visitor.page.get_by_role("alert").is_visible()
    visitor.expect_problem("ERR_FAILED")


def _smooth_seconds(visitor: Visitor) -> bool:
    """Watch for two seconds; a machine that does other work may lose frames in some."""
    first = state(visitor)
    visitor.until(lambda: after(visitor, first["time"] + 2), "time goes on")
    later = state(visitor)
    shown = later["frames"] - first["frames"]
    lost = later["dropped"] - first["dropped"]
    return bool(shown > 24 and lost <= shown // 10)


def _stands_at(visitor: Visitor, seconds: float) -> bool:
    return bool(abs(state(visitor)["time"] - seconds) < 0.2)


def _hover_seek_bar(visitor: Visitor, share: float) -> None:
    visitor.page.mouse.move(700, 400)
    box = visitor.page.locator(".shaka-seek-bar-container").bounding_box()
    assert box is not None
    visitor.page.mouse.move(
        box["x"] + box["width"] * share, box["y"] + box["height"] / 2
    )


def _answer_with_another_token(portal: LivePortal, asset: str, route: Route) -> None:
    """Answer as a minute later, when the token is another text."""
    answer = route.fetch()
    body = answer.json()
    if body["media_token"]:
        _, _, expires, session, _, _ = body["media_token"].split(".")
        body["media_token"] = tokens.sign(
            tokens.load(portal.settings.keys), asset, session, int(expires) + 60
        )
    route.fulfill(response=answer, json=body)


def _picture_by_another_token(
    visitor: Visitor, first: str, requests: list[str]
) -> bool:
    for share in (0.2, 0.9):
        _hover_seek_bar(visitor, share)
    return any(token_in(url) != first for url in requests if url.endswith(".jpg"))


def _token_changes(visitor: Visitor, first: str, requests: list[str]) -> bool:
    """Seek about until a segment is asked for with another token."""
    visitor.page.keyboard.press("9")
    visitor.page.keyboard.press("1")
    segments = [url for url in requests if url.endswith(".m4s")]
    return any(token_in(url) != first for url in segments)
