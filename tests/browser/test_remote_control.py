"""The player on a television: four arrows, OK, Back, and the keys of a recorder."""

from collections.abc import Callable, Iterable
from functools import partial

import pytest

from tests.browser import episodes
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.episodes import Serial
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor
from tests.browser.watching import after, plays, state

pytestmark = pytest.mark.browser

Screen = Callable[..., Visitor]


@pytest.fixture
def screen(visit: Visit, portal: LivePortal, serial: Serial) -> Screen:
    """Open an episode on a television, and wait until it plays."""
    episodes.forget(portal)

    def turn_on(number: int = 2, start: int = 20) -> Visitor:
        visitor = visit(width=1920, height=1080)
        episode = serial.episodes[number]
        visitor.go(f"/watch/{episode.slug}?tv=1&from={start}")
        visitor.until(partial(after, visitor, start + 0.5), "it plays")
        return visitor

    return turn_on


def test_arrows_steer_the_film_until_somebody_looks_for_more(screen: Screen) -> None:
    visitor = screen()
    press = visitor.page.keyboard.press

    press("Enter")
    visitor.until(lambda: state(visitor)["paused"], "OK pauses")
    before = state(visitor)["time"]
    press("ArrowRight")
    visitor.until(lambda: state(visitor)["time"] > before + 9, "on")
    press("ArrowLeft")
    press("ArrowLeft")
    visitor.until(lambda: state(visitor)["time"] < before - 5, "back")
    press("Enter")
    visitor.until(lambda: not state(visitor)["paused"], "OK plays")


def test_every_button_is_reached_with_arrows_and_back_leads_out(
    screen: Screen, serial: Serial
) -> None:
    visitor = screen()
    _press(visitor, ["ArrowDown"])
    reached = [_named(visitor)]
    for _ in range(10):
        _press(visitor, ["ArrowRight"])
        reached.append(_named(visitor))

    wanted = ("Pause", "Episode before", "Next episode", "Episodes", "Transcript")
    for name in (*wanted, "Captions", "More settings"):
        assert name in reached, reached
    assert _in_sight(visitor)
    _press(visitor, ["ArrowUp"])
    assert _named(visitor) in ("Seek", "Back to Harbour Lights")
    _press(visitor, ["ArrowUp", "ArrowUp"])
    assert _named(visitor) == "Back to Harbour Lights"

    _press(visitor, ["Escape"])
    assert visitor.page.url.endswith("?tv=1&from=20")
    visitor.page.keyboard.press("Escape")
    visitor.until(lambda: "/title/" in visitor.page.url, "the page of the series")


def test_a_menu_is_walked_through_and_left_by_back(screen: Screen) -> None:
    visitor = screen()
    _go_to(visitor, "More settings")
    _press(visitor, ["Enter"])
    visitor.until(lambda: _named(visitor).startswith("Captions"), "the menu")
    assert violations(visitor) == []
    names = [_named(visitor)]
    for _ in range(5):
        _press(visitor, ["ArrowDown"])
        names.append(_named(visitor))
    assert [each.removesuffix("Off").removesuffix("English") for each in names[:3]] == [
        "Captions",
        "Look of captions",
        "Language",
    ]
    assert "Data saver" in names
    _press(visitor, ["ArrowUp"] * 6 + ["Enter"])
    visitor.until(
        lambda: _named(visitor) in ("Back", "Off", "English"), "the languages"
    )
    # From wherever the focus is to the way back, and from there to the first.
    _press(visitor, ["ArrowUp"] * 3 + ["ArrowDown"])
    assert _named(visitor) == "English"
    _press(visitor, ["Enter"])
    shown = visitor.page.locator(".shaka-text-container span")
    visitor.until(shown.count, "captions")

    visitor.press_code(10009)
    menu = visitor.page.locator(".shaka-overflow-menu:not(.shaka-hidden)")
    visitor.until(lambda: not menu.count(), "the menu is closed")
    assert "/watch/" in visitor.page.url


def test_panels_are_walked_through_and_left_by_back(
    screen: Screen, serial: Serial
) -> None:
    visitor = screen()
    _go_to(visitor, "Transcript")
    _press(visitor, ["Enter"])
    line = visitor.page.locator(".transcript [aria-current]")
    visitor.until(
        lambda: line.count() and line.evaluate("e => e === document.activeElement"),
        "the line that is said now",
    )
    _press(visitor, ["ArrowDown", "ArrowDown", "Enter"])
    visitor.until(lambda: state(visitor)["time"] >= 30, "the line two below")
    visitor.press_code(461)
    assert not visitor.page.locator("#panel").is_visible()
    assert _named(visitor) == "Transcript"

    _press(visitor, ["ArrowLeft", "Enter"])
    panel = visitor.page.get_by_role("complementary", name="Episodes")
    visitor.until(panel.get_by_text("Low Water").is_visible, "the episodes")
    visitor.until(lambda: "Low Water" in _named(visitor), "the one that plays")
    _press(visitor, ["ArrowDown", "Enter"])
    visitor.until(lambda: plays(visitor, serial.episodes[3]), "the one below it")


def test_what_is_offered_over_the_film_is_one_press_away(
    screen: Screen, serial: Serial
) -> None:
    visitor = screen(0, 7)
    visitor.until(lambda: _named(visitor) == "Skip intro", "it has the focus")
    _press(visitor, ["Enter"])
    visitor.until(lambda: state(visitor)["time"] >= 12, "skipped")

    visitor.page.evaluate("() => { document.querySelector('video').currentTime = 55; }")
    visitor.until(lambda: _named(visitor) == "Play now", "the next episode")
    _press(visitor, ["ArrowRight"])
    assert _named(visitor) == "Stay"
    visitor.press_code(10009)
    assert not visitor.page.locator("#next-up").is_visible()
    assert plays(visitor, serial.episodes[0], still=True)


@pytest.mark.parametrize(
    ("code", "moved"),
    [(415, False), (19, True), (10252, True), (417, False), (412, False)],
)
def test_the_keys_of_a_recorder_do_what_stands_on_them(
    screen: Screen, code: int, moved: bool
) -> None:
    visitor = screen()
    before = state(visitor)["time"]

    visitor.press_code(code)

    if moved:
        visitor.until(lambda: state(visitor)["paused"], "it pauses")
    elif code == 415:
        assert not state(visitor)["paused"]
    else:
        sign = 1 if code == 417 else -1
        visitor.until(
            lambda: (state(visitor)["time"] - before) * sign > 7, "it is wound"
        )


def test_stop_leaves_the_film(screen: Screen) -> None:
    visitor = screen()

    visitor.press_code(413)

    visitor.until(lambda: "/title/" in visitor.page.url, "the page of the series")


def test_from_right_to_left_arrows_go_where_they_point(
    visit: Visit, portal: LivePortal, serial: Serial
) -> None:
    episodes.forget(portal)
    episodes.speak(portal, "ar")
    visitor = visit(width=1920, height=1080)
    visitor.go(f"/watch/{serial.episodes[2].slug}?tv=1&from=20")
    visitor.until(lambda: after(visitor, 20.5), "it plays")
    assert visitor.page.evaluate("() => document.documentElement.dir") == "rtl"

    before = state(visitor)["time"]
    visitor.page.keyboard.press("ArrowRight")
    visitor.until(lambda: state(visitor)["time"] > before + 9, "right is on")
    _press(visitor, ["ArrowDown"])
    places = [_middle(visitor)]
    for _ in range(4):
        _press(visitor, ["ArrowRight"])
        places.append(_middle(visitor))
    assert places == sorted(places)
    assert places[0] < places[-1]
    visitor.page.keyboard.press("t")
    panel = visitor.page.locator("#panel")
    visitor.until(panel.get_by_role("listitem").count, "the transcript")
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] == 0
    assert violations(visitor) == []
    episodes.forget(portal)


def _press(visitor: Visitor, keys: Iterable[str]) -> None:
    for key in keys:
        visitor.page.keyboard.press(key)


def _go_to(visitor: Visitor, name: str) -> None:
    """Walk along the bar until a button has the focus."""
    _press(visitor, ["ArrowDown"])
    for _ in range(14):
        if _named(visitor) == name:
            return
        _press(visitor, ["ArrowRight"])
    raise AssertionError(f"{name} is not reached; the last is {_named(visitor)}")


def _named(visitor: Visitor) -> str:
    name: str = visitor.page.evaluate(
        """() => {
            const at = document.activeElement;
            return at === document.body ? ""
                : (at.getAttribute("aria-label") ?? at.textContent.trim());
        }"""
    )
    return name


def _middle(visitor: Visitor) -> float:
    middle: float = visitor.page.evaluate(
        """() => {
            const { left, right } = document.activeElement.getBoundingClientRect();
            return (left + right) / 2;
        }"""
    )
    return middle


def _in_sight(visitor: Visitor) -> bool:
    """Say whether what has the focus is wholly on the screen, clear of its edges."""
    seen: bool = visitor.page.evaluate(
        """() => {
            const box = document.activeElement.getBoundingClientRect();
            const edge = 0.03;
            return box.left > innerWidth * edge && box.right < innerWidth * (1 - edge)
                && box.top > 0 && box.bottom < innerHeight * (1 - edge);
        }"""
    )
    return seen
