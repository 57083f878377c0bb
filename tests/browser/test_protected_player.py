"""Protected films in a browser: what opens them, and what is said when nothing does."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Request, Route

from appliance.accounts import sessions as sign_ins
from appliance.catalog.titles import Title
from appliance.cenc import Label, Scheme
from appliance.db import write
from appliance.media import assets, tracks
from appliance.media.tracks import TrackKind
from appliance.permissions import SYSTEM, Actor
from appliance.playback import sessions
from appliance.protection import kek, wrapping
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.watching import after, choose_quality, said, state
from tests.builders import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.media]

SCRIPTS = Path(__file__).parents[2] / "web" / "static" / "js"
LICENCE = "**/licence/clearkey"
SD = 576


@pytest.mark.parametrize("format", ["dash", "hls"])
@pytest.mark.parametrize("scheme", list(Scheme))
def test_a_protected_film_plays_through_our_doors(
    visit: Visit, locked: Title, old: Title, scheme: Scheme, format: str
) -> None:
    visitor = visit()
    asked: list[Request] = []
    visitor.page.on("request", lambda request: asked.append(request))
    title = locked if scheme is Scheme.CBCS else old
    visitor.go(f"/watch/{title.slug}?format={format}&from=0")

    first = visitor.until(lambda: after(visitor, 0.5), "it plays")
    later = visitor.until(lambda: after(visitor, first["time"] + 2), "time goes on")

    assert later["frames"] > first["frames"] + 24
    assert later["sound"] > first["sound"]
    choose_quality(visitor, "720p")
    licences = [each for each in asked if "/licence/clearkey" in each.url]
    keys = [each for each in asked if "/key/" in each.url]
    if format == "dash":
        assert len(licences) == 1
        assert len(json.loads(licences[0].post_data or "")["kids"]) == 3
        assert licences[0].headers["authorization"].startswith("Bearer 1.")
        assert not keys
    else:
        assert not licences
        assert len({each.url.rsplit("/", 1)[-1] for each in keys}) == 3


def test_no_key_stands_in_a_page() -> None:
    for script in SCRIPTS.rglob("*.js"):
        assert "clearkeys" not in script.read_text(encoding="utf-8").lower(), script


def test_a_licence_without_the_hd_key_stays_at_sd(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = visit()
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    given: list[int] = []

    def lower(route: Route) -> None:
        """Take HD away after the manifest has listed it, before the licence."""
        with write(portal.db):
            portal.db.conn.execute("update entitlements set max_height = ?", (SD,))
        answer = route.fetch()
        given.append(len(answer.json()["keys"]))
        route.fulfill(response=answer)

    visitor.page.route(LICENCE, lower)
    try:
        visitor.go(f"/watch/{locked.slug}?from=0")
        visitor.until(lambda: after(visitor, 0.5), "it plays")
        # Fetched while nobody knew yet that the licence would leave HD out.
        too_high = _segments(portal, locked, asked, above=SD)
        heights = {int(state(visitor)["height"])}
        visitor.until(lambda: after(visitor, 10), "it plays on")
        heights.add(int(state(visitor)["height"]))
        visitor.page.keyboard.press("7")
        visitor.until(lambda: after(visitor, 25), "and after a seek")
        heights.add(int(state(visitor)["height"]))
    finally:
        with write(portal.db):
            portal.db.conn.execute("update entitlements set max_height = null")

    assert given == [2]
    assert max(heights) <= SD
    assert not visitor.page.get_by_role("alert").is_visible()
    assert _segments(portal, locked, asked, above=SD) == too_high


def test_a_wrong_key_is_told_from_a_broken_stream(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = visit()
    with _wrong_keys(portal, locked):
        visitor.go(f"/watch/{locked.slug}?from=8")
        words = said(visitor)

    assert "could not be decrypted" in words
    assert "needs new keys" in words
    assert "3016" in words
    assert violations(visitor) == []
    visitor.page.get_by_role("button", name="Try again").click()
    visitor.until(lambda: after(visitor, 8.5), "with the right key it plays from there")


def test_a_session_that_was_ended_gets_no_licence_and_the_page_says_why(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = visit()

    def revoke(route: Route) -> None:
        sessions.terminate(portal.db, SYSTEM, _session(route.request))
        route.fallback()

    visitor.page.route(LICENCE, revoke)
    visitor.go(f"/watch/{locked.slug}")

    assert "Whoever runs this service has ended it" in said(visitor)
    assert state(visitor)["frames"] == 0
    visitor.page.unroute(LICENCE)
    visitor.page.get_by_role("button", name="Go on").click()
    visitor.until(lambda: after(visitor, 0.5), "it plays in a new session")
    visitor.expect_problem("410")


def test_the_token_of_another_film_opens_nothing_and_the_page_says_so(
    visit: Visit, portal: LivePortal, locked: Title, old: Title
) -> None:
    visitor = visit()
    other = sessions.open(
        portal.db, portal.settings, _actor(portal, "the-publisher"), title=old.slug
    )
    visitor.page.route(LICENCE, lambda route: _with_token(route, other.token))
    visitor.go(f"/watch/{locked.slug}")

    words = said(visitor)
    assert "A key that was asked for does not belong to this film" in words
    assert "licence.kid" in words
    assert state(visitor)["frames"] == 0
    visitor.expect_problem("403")


def test_an_altered_token_opens_nothing_and_the_page_says_so(
    visit: Visit, locked: Title
) -> None:
    visitor = visit()

    def alter(route: Route) -> None:
        token = route.request.headers["authorization"].split()[1]
        _with_token(route, token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"))

    visitor.page.route(LICENCE, alter)
    visitor.go(f"/watch/{locked.slug}")

    words = said(visitor)
    assert "This token does not open this film" in words
    assert "licence.token" in words
    assert state(visitor)["frames"] == 0
    visitor.expect_problem("403")


@pytest.mark.parametrize("format", ["dash", "hls"])
def test_a_door_refuses_in_the_language_of_the_page(
    visit: Visit, portal: LivePortal, locked: Title, format: str
) -> None:
    visitor = visit(locale="de-DE")

    def exhaust(route: Route) -> None:
        with write(portal.db):
            portal.db.conn.execute("update playback_sessions set licences = 1000000")
        route.fallback()

    for door in (LICENCE, "**/key/*"):
        visitor.page.route(door, exhaust)
    visitor.go(f"/watch/{locked.slug}?format={format}")

    words = said(visitor)
    assert "Zu viele Lizenzen" in words
    assert "Diese Wiedergabe hat mehr Lizenzen verlangt" in words
    visitor.expect_problem("429")


def test_raw_keys_of_hls_are_refused_in_the_same_words(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = visit()
    ended: list[str] = []

    def revoke(route: Route) -> None:
        if not ended:
            token = route.request.url.split("/media/")[1]
            ended.append(token.split(".")[3])
            sessions.terminate(portal.db, SYSTEM, ended[0])
        route.fallback()

    visitor.page.route("**/key/*", revoke)
    visitor.go(f"/watch/{locked.slug}?format=hls")

    assert "Whoever runs this service has ended it" in said(visitor)
    visitor.expect_problem("410")


def test_a_session_that_ran_out_before_its_licence_is_renewed_without_a_word(
    visit: Visit, locked: Title
) -> None:
    visitor = visit()
    sessions_seen: list[str] = []

    def expired(route: Route) -> None:
        sessions_seen.append(_session(route.request))
        if len(sessions_seen) > 1:
            route.fallback()
            return
        gone = {"code": "licence.session-expired", "detail": "It ended.", "status": 410}
        route.fulfill(status=410, json=gone)

    visitor.page.route(LICENCE, expired)
    visitor.go(f"/watch/{locked.slug}?from=6")

    visitor.until(lambda: after(visitor, 6.5), "it plays from its place")
    assert len(set(sessions_seen)) == 2
    assert not visitor.page.get_by_role("alert").is_visible()
    visitor.expect_problem("410")


def test_a_licence_service_that_fails_is_not_called_a_broken_film(
    visit: Visit, locked: Title
) -> None:
    visitor = visit()
    visitor.page.route(LICENCE, lambda route: route.fulfill(status=502, body="<html>"))
    visitor.go(f"/watch/{locked.slug}?from=4")

    assert "The licence service does not answer" in said(visitor)
    visitor.page.unroute(LICENCE)
    visitor.page.get_by_role("button", name="Try again").click()
    visitor.until(lambda: after(visitor, 4.5), "it plays")
    visitor.expect_problem("502")


def test_a_licence_with_nothing_in_it_is_told(visit: Visit, locked: Title) -> None:
    visitor = visit()
    empty = {"keys": [], "type": "temporary"}
    visitor.page.route(LICENCE, lambda route: route.fulfill(json=empty))
    visitor.go(f"/watch/{locked.slug}")

    assert "could not be decrypted" in said(visitor)


def test_a_right_to_no_quality_is_told(visit: Visit, locked: Title) -> None:
    visitor = visit()
    visitor.page.route(LICENCE, _without_pictures)
    visitor.go(f"/watch/{locked.slug}")

    assert "not included in any quality" in said(visitor)


def test_a_key_that_never_comes_is_not_waited_for_in_silence(
    visit: Visit, locked: Title
) -> None:
    visitor = visit()
    held: list[Route] = []
    visitor.page.route(LICENCE, lambda route: held.append(route))
    visitor.go(f"/watch/{locked.slug}?from=5")
    visitor.until(lambda: held, "a licence is asked for")

    assert "Still waiting for the key" in said(visitor)
    held[0].abort()
    visitor.problems.clear()


def _session(request: Request) -> str:
    """Return the session that a licence request shows the token of."""
    return request.headers["authorization"].split(".")[3]


def _actor(portal: LivePortal, username: str) -> Actor:
    _, signed_in = sign_ins.sign_in(
        portal.db,
        portal.settings,
        username,
        PASSWORD,
        None,
        address="127.0.0.1",
        user_agent="test",
    )
    return signed_in.actor("127.0.0.1")


def _with_token(route: Route, token: str) -> None:
    headers = route.request.headers | {"authorization": f"Bearer {token}"}
    route.continue_(headers=headers)


def _without_pictures(route: Route) -> None:
    answer = route.fetch()
    body = answer.json()
    asked = json.loads(route.request.post_data or "")["kids"]
    sound = [each for each in body["keys"] if each["kid"] == asked[-1]]
    route.fulfill(response=answer, json=body | {"keys": sound})


def _segments(
    portal: LivePortal, title: Title, asked: list[str], *, above: int
) -> list[str]:
    """Return which of the addresses are segments of renditions higher than that."""
    film = assets.playable(portal.db, title.id)
    assert film is not None
    high = [
        each.public_id
        for each in tracks.of_asset(portal.db, film.id)
        if each.kind is TrackKind.VIDEO and (each.height or 0) > above
    ]
    assert high
    segment = re.compile(rf"({'|'.join(high)})/\d+\.m4s")
    return [each for each in asked if segment.search(each)]


@contextmanager
def _wrong_keys(portal: LivePortal, title: Title) -> Iterator[None]:
    """Keep other keys under the KIDs of the pictures of a film, for a while."""
    ring = kek.load(portal.settings)
    assert ring.wrapping is not None
    rows = portal.db.rows(
        """
        select k.* from content_keys k join assets a on a.id = k.asset_id
        where a.title_id = ? and k.label != 'AUDIO'
        """,
        (title.id,),
    )
    other = {
        row["id"]: wrapping.wrap(
            ring.wrapping, b"\1" * 16, row["kid"], Label(row["label"]), row["asset_id"]
        )
        for row in rows
    }
    try:
        _keep(portal, other)
        yield
    finally:
        _keep(portal, {row["id"]: row["wrapped"] for row in rows})


def _keep(portal: LivePortal, wrapped: dict[int, bytes]) -> None:
    with write(portal.db):
        for key, value in wrapped.items():
            portal.db.conn.execute(
                "update content_keys set wrapped = ? where id = ?", (value, key)
            )
