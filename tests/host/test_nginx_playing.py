"""A film goes on in Chromium, whatever happens to the servers behind it meanwhile."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from appliance.accounts import sessions
from appliance.catalog.titles import Title
from appliance.permissions import Role
from tests.browser import films
from tests.browser.visitor import Visitor
from tests.browser.watching import after, requested, state, token_in
from tests.builders import PASSWORD
from tests.host.served_nginx import Stack, stack
from web import guard

pytestmark = [pytest.mark.browser, pytest.mark.media]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("playing") / "home") as running:
        running.portal.make.account("viewer", roles=(Role.VIEWER,))
        yield running


@pytest.fixture(scope="module")
def film(served: Stack, tmp_path_factory: pytest.TempPathFactory) -> Title:
    return films.publish(served.portal, tmp_path_factory.mktemp("film"), seconds=64)


@pytest.fixture(scope="module")
def locked(served: Stack, tmp_path_factory: pytest.TempPathFactory) -> Title:
    return films.publish(
        served.portal, tmp_path_factory.mktemp("locked"), protected=True, seconds=24
    )


@pytest.fixture
def watch(served: Stack, chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """``watch(title, start=0)`` opens a film there and waits until it plays."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    token, _ = sessions.sign_in(
        served.portal.db,
        served.portal.settings,
        "viewer",
        PASSWORD,
        None,
        address="127.0.0.1",
        user_agent="test",
    )
    context.add_cookies([{"name": guard.COOKIE, "value": token, "url": served.url}])
    visitor = Visitor(context.new_page(), served.url)

    def open_film(title: Title, start: int = 0) -> Visitor:
        visitor.go(f"/watch/{title.slug}?from={start}")
        visitor.until(lambda: after(visitor, start + 1), "it plays")
        return visitor

    yield open_film
    context.close()


_WATCH = """
() => {
    const video = document.querySelector("video");
    window.stalls = 0;
    // A busy processor makes a player wait too: count only the want of film.
    video.addEventListener("waiting", () => {
        const { buffered, currentTime } = video;
        const last = buffered.length && buffered.end(buffered.length - 1);
        window.stalls += last - currentTime < 1;
    });
    // What is decoded, looked at often: for how long was there nothing new?
    let frames = 0;
    let since = performance.now();
    window.pause = 0;
    clearInterval(window.looking);
    window.looking = setInterval(() => {
        const now = performance.now();
        const decoded = video.getVideoPlaybackQuality().totalVideoFrames;
        if (decoded > frames) {
            [frames, since] = [decoded, now];
        }
        window.pause = Math.max(window.pause, now - since);
    }, 100);
}
"""
_LONGEST_PAUSE = 3.0
"""Seconds without a new frame: what a busy machine may do, and no server."""


def _goes_on(visitor: Visitor, seconds: float, meanwhile: Callable[[], object]) -> None:
    """Do something, and see the film advance in real time from before to after it."""
    visitor.page.evaluate(_WATCH)
    before = state(visitor)
    meanwhile()
    then = visitor.until(lambda: after(visitor, before["time"] + seconds), "it goes on")
    assert then["frames"] > before["frames"] + 20 * seconds * 0.5
    assert visitor.page.evaluate("() => window.stalls") == 0
    assert visitor.page.evaluate("() => window.pause / 1000") < _LONGEST_PAUSE


def _goes_on_from(
    visitor: Visitor, place: float, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Jump to before where it began: nothing is buffered there, however it played."""
    known = len(requested(visitor, r"/tracks/"))
    visitor.page.evaluate(
        "(place) => { document.querySelector('video').currentTime = place; }", place
    )
    meanwhile()
    visitor.until(lambda: after(visitor, place + 1.5), f"it plays on from {place}")
    assert len(requested(visitor, r"/tracks/")) > known


def test_a_clear_and_a_protected_film_play_through_nginx(
    served: Stack, film: Title, locked: Title, watch: Callable[..., Visitor]
) -> None:
    for title in (film, locked):
        visitor = watch(title)
        first = state(visitor)
        later = visitor.until(lambda: after(visitor, 4), "time goes on")  # noqa: B023
        assert later["frames"] > first["frames"] + 24
    assert visitor.problems == []
    assert token_in(requested(visitor, r"/media/")[0]).startswith("2.")


def test_reloading_nginx_stops_no_film(
    served: Stack, film: Title, watch: Callable[..., Visitor]
) -> None:
    visitor = watch(film, 20)

    def reload() -> None:
        served.command("nginx", "install")

    for _ in range(3):
        _goes_on(visitor, 1, reload)
    for place in (12, 4):
        _goes_on_from(visitor, place, reload)

    assert visitor.problems == []


def test_restarting_gunicorn_stops_no_film(
    served: Stack, film: Title, watch: Callable[..., Visitor]
) -> None:
    visitor = watch(film, 20)

    def restart() -> None:
        served.stop_web()
        visitor.page.wait_for_timeout(1500)  # heartbeats meet nobody
        served.start_web()

    _goes_on(visitor, 4, restart)
    served.stop_web()
    _goes_on_from(visitor, 4)
    served.start_web()

    served.nginx.logged("portal.log", 1, status=503)
    visitor.expect_problem("503")


def test_rotating_the_key_of_tokens_stops_no_film(
    served: Stack, film: Title, watch: Callable[..., Visitor]
) -> None:
    visitor = watch(film, 20)
    before = token_in(requested(visitor, r"/tracks/")[-1])

    _goes_on(visitor, 4, lambda: served.command("key", "rotate", "media", "--yes"))
    _goes_on_from(visitor, 4)

    used = token_in(requested(visitor, r"/tracks/")[-1])
    assert int(used.split(".")[1]) == int(before.split(".")[1]) + 1
    assert visitor.problems == []
