"""Chromium watches films that nginx-vod-module packages while they are watched."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from appliance.accounts import sessions
from appliance.catalog.titles import Title
from appliance.cenc import Scheme
from appliance.permissions import Role
from tests.browser import films
from tests.browser.visitor import Visitor
from tests.browser.watching import after, choose_quality, requested, state
from tests.builders import PASSWORD
from tests.host import vod_origin
from tests.host.served_nginx import Stack
from web import guard

pytestmark = [pytest.mark.browser, pytest.mark.media, vod_origin.needs_module]

SECONDS = 24


@dataclass(frozen=True)
class Cinema:
    """A portal that packages just in time: a clear and a protected film."""

    stack: Stack
    clear: Title
    locked: Title


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    with vod_origin.portal(tmp_path_factory.mktemp("vod") / "home") as stack:
        stack.portal.make.account("viewer", roles=(Role.VIEWER,))
        clear = films.publish(
            stack.portal,
            tmp_path_factory.mktemp("clear"),
            seconds=64,
            just_in_time=True,
        )
        locked = films.publish(
            stack.portal,
            tmp_path_factory.mktemp("locked"),
            protected=True,
            scheme=Scheme.CENC,
            seconds=SECONDS,
            just_in_time=True,
        )
        yield Cinema(stack, clear, locked)


Watch = Callable[..., Visitor]


@pytest.fixture
def watch(cinema: Cinema, chromium: Browser) -> Iterator[Watch]:
    """``watch(title, query)`` opens a film and waits until it plays."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    db, settings = cinema.stack.portal.db, cinema.stack.portal.settings
    token, _ = sessions.sign_in(
        *(db, settings, "viewer", PASSWORD, None),
        address="127.0.0.1",
        user_agent="test",
    )
    cookie = {"name": guard.COOKIE, "value": token, "url": cinema.stack.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    visitor = Visitor(context.new_page(), cinema.stack.url)

    def open_film(title: Title, query: str = "") -> Visitor:
        visitor.go(f"/watch/{title.slug}?from=0{query}")
        visitor.until(lambda: after(visitor, 1), "it plays")
        return visitor

    yield open_film
    context.close()


@pytest.mark.parametrize("format", ["dash", "hls"])
@pytest.mark.parametrize("name", ["clear", "locked"])
def test_a_film_plays_to_its_end_with_pictures_and_sound(
    cinema: Cinema, watch: Watch, name: str, format: str
) -> None:
    title = cinema.clear if name == "clear" else cinema.locked
    length = 64 if name == "clear" else SECONDS
    visitor = watch(title, f"&format={format}")
    first = state(visitor)

    later = visitor.until(lambda: after(visitor, first["time"] + 3), "time goes on")
    assert later["frames"] > first["frames"] + 36
    assert later["sound"] > first["sound"]
    choose_quality(visitor, "720p" if name == "locked" else "360p")
    _seek(visitor, length - 4)
    ended = visitor.until(lambda: _ended(visitor), "it ends")

    assert ended["time"] == pytest.approx(length, abs=0.1)
    asked = requested(visitor, r"/tracks/[0-9a-f]+/(?:cenc-)?(?:video|audio)-0")
    assert asked
    assert all(("/cenc-" in each) == (name == "locked") for each in asked)
    assert visitor.problems == []


def test_sound_and_pictures_begin_together(cinema: Cinema, watch: Watch) -> None:
    """Both at zero: what MSE has buffered begins where both have something."""
    visitor = watch(cinema.clear)

    begins = visitor.page.evaluate(
        "() => document.querySelector('video').buffered.start(0)"
    )

    assert begins == 0


def test_another_language_and_subtitles_can_be_chosen(
    cinema: Cinema, watch: Watch
) -> None:
    visitor = watch(cinema.clear)
    sounds = set(requested(visitor, r"/audio-0"))

    visitor.page.locator(
        ".shaka-audio-languages [role=menuitemradio][aria-checked=false]"
    ).first.dispatch_event("click")
    visitor.page.keyboard.press("c")

    shown = visitor.page.locator(".shaka-text-container", has_text=films.CAPTION)
    visitor.until(shown.count, "subtitles come")
    visitor.until(
        lambda: len({_track(each) for each in requested(visitor, r"/audio-0")}) == 2,
        "the other sound",
    )
    before = state(visitor)
    later = visitor.until(lambda: after(visitor, before["time"] + 2), "it goes on")
    assert later["sound"] > before["sound"]
    assert sounds
    assert visitor.problems == []


def test_a_known_film_goes_on_while_the_application_is_away(
    cinema: Cinema, watch: Watch
) -> None:
    """Longer than anything of it is fresh in nginx's caches (10 s)."""
    visitor = watch(cinema.locked)
    visitor.tolerated.append("503")
    stack = cinema.stack
    stack.stop_web()
    try:
        _seek(visitor, 1)
        visitor.until(lambda: after(visitor, 12), "it goes on")
        _seek(visitor, 2)
        before = state(visitor)
        visitor.until(lambda: after(visitor, 4), "from the beginning again")
        assert state(visitor)["frames"] > before["frames"]
    finally:
        stack.start_web()


def test_pictures_of_the_seek_bar_come_from_the_disk(cinema: Cinema) -> None:
    """They are made once: a picture of any size is nothing nginx should decode."""
    nginx = cinema.stack.nginx
    (asset,) = cinema.stack.portal.db.rows(
        "select public_id from assets where title_id = ?", (cinema.clear.id,)
    )
    base = f"/media/{nginx.token(asset=asset['public_id'])}/{asset['public_id']}"
    listed = nginx.get(f"{base}/thumbnails.vtt")

    (name, *_) = [line for line in listed.text.splitlines() if ".jpg" in line]
    picture = nginx.get(f"{base}/{name.partition('#')[0]}")

    assert (picture.status_code, picture.content[:2]) == (200, b"\xff\xd8")


def _seek(visitor: Visitor, seconds: float) -> None:
    visitor.page.evaluate(
        "(to) => { document.querySelector('video').currentTime = to; }", seconds
    )


def _ended(visitor: Visitor) -> dict[str, float] | None:
    ended = visitor.page.evaluate("() => document.querySelector('video').ended")
    return state(visitor) if ended else None


def _track(address: str) -> str:
    return address.split("/tracks/")[1].split("/")[0]
