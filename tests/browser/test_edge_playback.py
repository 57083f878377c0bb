"""Films in Chromium through edges: the near one first, the next one when it dies."""

import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from appliance.accounts import sessions
from appliance.catalog.titles import Title
from appliance.delivery import edge_secret
from appliance.permissions import Role
from tests.browser import films
from tests.browser.visitor import Visitor
from tests.browser.watching import after, requested, state
from tests.builders import PASSWORD
from tests.host.edges import edge
from tests.host.served_nginx import Nginx, Stack, free_port, stack
from web import guard

pytestmark = [pytest.mark.browser, pytest.mark.media]

# Players tell hosts apart by their names, not by their ports.
_NORTH, _SOUTH = "127.0.0.2", "127.0.0.3"
_HERE = "127.0.0.1"


@dataclass
class House:
    """A portal with an edge for its own network and one for everybody."""

    stack: Stack
    north: Nginx
    south: Nginx


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("house")
    ports = {name: str(free_port()) for name in (_NORTH, _SOUTH, _HERE)}
    sites = (
        f"north=http://{_NORTH}:{ports[_NORTH]}[127.0.0.0/8],"
        f"south=http://{_SOUTH}:{ports[_SOUTH]}"
    )
    edge_secret.rotate(home / "portal" / "keys")
    with ExitStack() as running:
        portal = running.enter_context(
            stack(
                home / "portal",
                MATINEE_EDGE_SITES=sites,
                MATINEE_NGINX_HTTP_PORT=ports[_HERE],
                MATINEE_PORTAL_PUBLIC_URL=f"http://{_HERE}:{ports[_HERE]}",
            )
        )
        portal.portal.make.account("viewer", roles=(Role.VIEWER,))
        near = [
            running.enter_context(
                edge(
                    *(home / address, portal.url, portal.portal.settings.keys),
                    MATINEE_NGINX_ADDRESS=address,
                    MATINEE_NGINX_HTTP_PORT=ports[address],
                    MATINEE_PORTAL_PUBLIC_URL=portal.url,
                )
            )
            for address in (_NORTH, _SOUTH)
        ]
        yield House(portal, *near)


@pytest.fixture(scope="module")
def film(house: House, tmp_path_factory: pytest.TempPathFactory) -> Title:
    scratch = tmp_path_factory.mktemp("film")
    return films.publish(house.stack.portal, scratch, seconds=64)


@pytest.fixture(scope="module")
def locked(house: House, tmp_path_factory: pytest.TempPathFactory) -> Title:
    scratch = tmp_path_factory.mktemp("locked")
    return films.publish(house.stack.portal, scratch, protected=True, seconds=24)


Watch = Callable[..., Visitor]


@pytest.fixture
def watch(house: House, chromium: Browser) -> Iterator[Watch]:
    """``watch(title, format)`` opens a film and waits until it plays."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    portal = house.stack.portal
    token, _ = sessions.sign_in(
        portal.db,
        portal.settings,
        "viewer",
        PASSWORD,
        None,
        address=_HERE,
        user_agent="test",
    )
    context.add_cookies([{"name": guard.COOKIE, "value": token, "url": portal.url}])
    visitor = Visitor(context.new_page(), portal.url)

    def open_film(title: Title, format: str) -> Visitor:
        visitor.go(f"/watch/{title.slug}?from=0&format={format}")
        visitor.until(lambda: after(visitor, 1), "it plays")
        return visitor

    yield open_film
    context.close()


def _from(visitor: Visitor) -> Counter[str]:
    """Return how many files of tracks came from each host, and were complete."""
    complete: list[str] = visitor.page.evaluate(
        """() => performance.getEntriesByType("resource")
            .filter((each) => each.name.includes("/tracks/"))
            .filter((each) => each.responseStatus === 200)
            .map((each) => each.name)"""
    )
    return Counter(urlsplit(name).hostname or "" for name in complete)


def _problems(visitor: Visitor, *expected: str) -> list[str]:
    """Return what went wrong besides what was expected to."""
    hosts = (_NORTH, _SOUTH, _HERE)
    known = [*expected, *(f"foreign request: http://{each}" for each in hosts)]
    return [
        each for each in visitor.problems if not any(words in each for words in known)
    ]


def _count_stalls(visitor: Visitor) -> None:
    visitor.page.evaluate(
        """() => {
            const video = document.querySelector("video");
            window.stalls = 0;
            // A busy processor makes a player wait too: count only the want of film.
            video.addEventListener("waiting", () => {
                const { buffered, currentTime } = video;
                const last = buffered.length && buffered.end(buffered.length - 1);
                window.stalls += last - currentTime < 1;
            });
        }"""
    )


def _stalls(visitor: Visitor) -> int:
    found: int = visitor.page.evaluate("() => window.stalls")
    return found


@pytest.mark.parametrize("format", ["dash", "hls"])
def test_the_edge_of_the_viewers_network_serves_the_film(
    film: Title, watch: Watch, format: str
) -> None:
    visitor = watch(film, format)

    later = visitor.until(lambda: after(visitor, 3), "time goes on")

    assert later["frames"] > 48
    assert set(_from(visitor)) == {_NORTH}, requested(visitor, "/media/")
    (steering,) = requested(visitor, r"/steering\.json")
    assert urlsplit(steering).hostname == _HERE
    assert _problems(visitor) == []


def test_the_command_finds_nothing_wrong_with_edges(house: House, film: Title) -> None:
    told = house.stack.command("edge", "check", "--title", film.slug)

    wrong = [each for each in told["checks"] if each["level"] != "ok"]
    assert wrong == []
    assert {each["id"].partition(".")[0] for each in told["checks"]} == {
        "north",
        "south",
    }


@pytest.mark.parametrize("format", ["dash", "hls"])
def test_a_protected_film_comes_through_the_edge_and_its_licence_does_not(
    locked: Title, watch: Watch, format: str
) -> None:
    visitor = watch(locked, format)

    first = state(visitor)
    later = visitor.until(lambda: after(visitor, first["time"] + 3), "time goes on")

    assert later["frames"] > first["frames"] + 24
    assert set(_from(visitor)) == {_NORTH}, requested(visitor, "/media/")
    doors = requested(visitor, r"/licence/|/key/")
    assert doors
    assert {urlsplit(each).hostname for each in doors} == {_HERE}
    assert _problems(visitor) == []


@pytest.mark.parametrize("format", ["dash", "hls"])
def test_when_edges_die_the_film_goes_on_without_a_stall(
    house: House, film: Title, watch: Watch, format: str
) -> None:
    visitor = watch(film, format)
    _count_stalls(visitor)
    before = state(visitor)
    try:
        house.north.stop()
        visitor.until(lambda: _from(visitor)[_SOUTH] > 1, "the next edge serves")
        house.south.stop()
        visitor.until(lambda: _from(visitor)[_HERE] > 1, "the portal serves")
        then = visitor.until(lambda: after(visitor, before["time"] + 6), "it goes on")
    finally:
        house.north.start()
        house.south.start()

    assert then["frames"] > before["frames"] + 6 * 12
    assert _stalls(visitor) == 0
    gone = (
        *("net::ERR_CONNECTION", "net::ERR_SOCKET_NOT_CONNECTED"),
        # In the middle of a file.
        "net::ERR_CONTENT_LENGTH_MISMATCH",
    )
    assert _problems(visitor, *gone) == []


def test_an_edge_that_falls_silent_is_left_before_anything_stalls(
    house: House, film: Title, watch: Watch
) -> None:
    visitor = watch(film, "dash")
    _count_stalls(visitor)
    before = state(visitor)
    assert house.north.process is not None
    master = house.north.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    frozen = [master, *map(int, children)]
    try:
        for each in frozen:
            os.kill(each, signal.SIGSTOP)
        visitor.until(lambda: _from(visitor)[_SOUTH] > 1, "the next edge serves")
        then = visitor.until(lambda: after(visitor, before["time"] + 8), "it goes on")
    finally:
        for each in frozen:
            os.kill(each, signal.SIGCONT)

    assert then["frames"] > before["frames"] + 8 * 12
    assert _stalls(visitor) == 0


@pytest.mark.parametrize("format", ["dash", "hls"])
def test_an_edge_that_refuses_is_passed_by(
    house: House, film: Title, watch: Watch, format: str
) -> None:
    """As one does that was not brought the newest key."""
    house.north.altered = lambda files: {
        name: re.sub(r'"(\d+)" "[0-9a-f]{64}"', rf'"\1" "{"0" * 64}"', text)
        for name, text in files.items()
    }
    try:
        house.north.install()
        visitor = watch(film, format)
        later = visitor.until(lambda: after(visitor, 3), "time goes on")
    finally:
        house.north.altered = lambda files: files
        house.north.install()

    assert later["frames"] > 48
    assert _from(visitor)[_NORTH] == 0
    assert _from(visitor)[_SOUTH] > 0
    assert _problems(visitor, "403") == []


@pytest.mark.parametrize("format", ["dash", "hls"])
def test_what_an_edge_keeps_plays_on_without_portal_and_origin(
    house: House, film: Title, watch: Watch, format: str
) -> None:
    house.stack.command("edge", "warm", film.slug, "--edge", "north", "--segments", "0")
    visitor = watch(film, format)
    _count_stalls(visitor)
    before = state(visitor)
    try:
        house.stack.nginx.stop()
        house.stack.stop_web()
        visitor.until(lambda: after(visitor, before["time"] + 3), "it goes on")
        stalls = _stalls(visitor)
        known = _from(visitor)[_NORTH]
        visitor.page.evaluate(
            "() => { document.querySelector('video').currentTime = 56; }"
        )
        then = visitor.until(lambda: after(visitor, 58), "it plays from elsewhere")
    finally:
        house.stack.nginx.start()
        house.stack.start_web()

    assert stalls == 0
    assert then["frames"] > before["frames"] + 4 * 12
    assert _from(visitor)[_NORTH] > known, "it was fetched while they were away"
    assert set(_from(visitor)) == {_NORTH}, requested(visitor, "/media/")
