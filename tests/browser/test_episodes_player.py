"""From episode to episode: the card of the next one, what is skipped, what ends."""

from functools import partial

import pytest

from appliance.media.markers import MarkerKind
from appliance.playback import progress
from tests.browser import episodes
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.episodes import Serial
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor
from tests.browser.watching import after, moved, plays, state, watching

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _as_on_the_first_day(portal: LivePortal) -> None:
    episodes.forget(portal)


def test_the_next_episode_follows_in_the_same_page_and_in_full_screen(
    visit: Visit, portal: LivePortal, serial: Serial
) -> None:
    first, second = serial.episodes[:2]
    visitor = watching(visit, first, "?from=52")
    visitor.page.keyboard.press("f")
    visitor.page.evaluate("() => { window.here = true; }")

    card = visitor.page.get_by_role("region", name="Next: The Ledger")
    visitor.until(card.is_visible, "the card")
    assert _focused(visitor) == "Play now"
    assert "Next in" in card.inner_text()
    assert "S1 E2" in card.inner_text()
    assert violations(visitor) == []
    moved(visitor, 63.0)

    visitor.until(lambda: plays(visitor, second), "the next episode")
    assert visitor.page.evaluate("() => window.here")
    assert state(visitor)["fullscreen"]
    assert visitor.page.title().startswith("The Ledger")
    assert visitor.page.get_by_role("heading", level=1).inner_text() == "The Ledger"
    assert not card.is_visible()
    watched = progress.of_titles(portal.db, episodes.viewer(portal), [first.id])
    assert watched[first.id].finished


def test_play_now_does_not_wait_and_stay_stays_to_the_end(
    visit: Visit, serial: Serial
) -> None:
    first, second, third = serial.episodes[:3]
    visitor = watching(visit, first, "?from=53")
    go = visitor.page.get_by_role("button", name="Play now")
    visitor.until(go.is_visible, "the card")
    visitor.page.keyboard.press("Enter")
    visitor.until(lambda: plays(visitor, second), "the next episode")

    moved(visitor, 55.0)
    visitor.until(go.is_visible, "the card")
    visitor.page.get_by_role("button", name="Stay").click()
    moved(visitor, 63.0)

    end = visitor.page.get_by_role("region", name="What to watch next")
    visitor.until(end.is_visible, "what stands at the end")
    assert plays(visitor, second, still=True)
    assert violations(visitor) == []
    end.get_by_role("link", name="Next · S1 E3").click()
    visitor.until(lambda: plays(visitor, third), "the one after it")


def test_after_three_episodes_that_nobody_attended_the_player_asks(
    visit: Visit, serial: Serial
) -> None:
    visitor = watching(visit, serial.episodes[0], "?from=50")
    for episode in serial.episodes[1:4]:
        moved(visitor, 63.0)
        visitor.until(partial(plays, visitor, episode), episode.name)
    moved(visitor, 63.0)

    asks = visitor.page.get_by_role("dialog", name="Still watching?")
    visitor.until(asks.is_visible, "the question")
    assert state(visitor)["paused"]
    assert violations(visitor) == []
    asks.get_by_role("button", name="Go on watching").click()

    visitor.until(lambda: plays(visitor, serial.episodes[4]), "the last episode")


def test_a_profile_that_wants_no_next_episode_is_asked_what_it_wants(
    visit: Visit, portal: LivePortal, serial: Serial
) -> None:
    episodes.prefer(portal, autoplay_next=False)
    visitor = watching(visit, serial.episodes[0], "?from=53")
    card = visitor.page.get_by_role("region", name="Next: The Ledger")
    visitor.until(card.is_visible, "the card")
    assert "Next in" not in card.inner_text()

    moved(visitor, 63.0)

    end = visitor.page.get_by_role("region", name="What to watch next")
    visitor.until(end.is_visible, "what stands at the end")
    assert plays(visitor, serial.episodes[0], still=True)


def test_what_can_be_skipped_is_offered_and_takes_no_focus(
    visit: Visit, serial: Serial
) -> None:
    visitor = watching(visit, serial.episodes[0], "?from=0")
    recap = visitor.page.get_by_role("button", name="Skip recap")
    intro = visitor.page.get_by_role("button", name="Skip intro")
    visitor.until(recap.is_visible, "the recap can be skipped")
    assert _focused(visitor) == ""

    recap.click()
    visitor.until(lambda: state(visitor)["time"] >= 4, "the recap is skipped")
    visitor.until(intro.is_visible, "the intro can be skipped")
    assert not recap.is_visible()
    visitor.page.keyboard.press("s")

    visitor.until(lambda: state(visitor)["time"] >= 12, "the intro is skipped")
    assert not intro.is_visible()


def test_the_button_that_skips_goes_after_a_while_and_comes_with_the_controls(
    visit: Visit, portal: LivePortal, serial: Serial
) -> None:
    visitor = watching(visit, serial.episodes[1], "?from=3")
    button = visitor.page.locator(".skip-part")
    visitor.until(lambda: _shown(visitor), "it is offered")

    visitor.until(lambda: state(visitor)["time"] > 12 and not _shown(visitor), "gone")
    visitor.page.mouse.move(600, 500)
    visitor.page.mouse.move(640, 500)

    visitor.until(lambda: _shown(visitor), "it comes with the controls")
    button.click()
    visitor.until(lambda: state(visitor)["time"] >= 40, "skipped")


def test_credits_with_a_scene_after_them_are_skipped_to_the_scene(
    visit: Visit, portal: LivePortal, serial: Serial
) -> None:
    last = serial.episodes[4]
    episodes.mark(portal, last, MarkerKind.CREDITS, 30.0, 50.0)
    visitor = watching(visit, last, "?from=31")
    button = visitor.page.get_by_role("button", name="Skip credits")
    visitor.until(button.is_visible, "the credits can be skipped")

    visitor.page.keyboard.press("s")

    visitor.until(lambda: after(visitor, 50), "the scene")


def test_keys_lead_from_episode_to_episode(visit: Visit, serial: Serial) -> None:
    first, second, third = serial.episodes[:3]
    visitor = watching(visit, second, "?from=2")
    for key, episode in (("n", third), ("Shift+P", second), ("Shift+P", first)):
        visitor.page.keyboard.press(key)
        visitor.until(partial(plays, visitor, episode), episode.name)

    visitor.page.keyboard.press("Shift+N")
    visitor.until(lambda: plays(visitor, second), "the next one")
    # Back leads to where the visitor came from, not from episode to episode.
    assert visitor.page.evaluate("() => history.length") == 2


def test_the_list_of_episodes_stands_beside_the_film(
    visit: Visit, serial: Serial
) -> None:
    visitor = watching(visit, serial.episodes[0], "?from=20")
    visitor.page.keyboard.press("e")
    panel = visitor.page.get_by_role("complementary", name="Episodes")
    visitor.until(panel.get_by_text("Low Water").is_visible, "the episodes")
    assert violations(visitor) == []
    assert "Playing" in panel.get_by_role("link", name="The Key").inner_text()

    panel.get_by_role("link", name="What the Fog Kept").click()

    visitor.until(lambda: plays(visitor, serial.episodes[3]), "the one chosen")
    assert not panel.is_visible()


def test_a_series_plays_from_where_its_viewer_is_and_its_trailer_from_its_page(
    visit: Visit, portal: LivePortal, serial: Serial
) -> None:
    visitor = watching(visit, serial.episodes[1], "?from=20")
    visitor.page.keyboard.press("k")
    begun = [serial.episodes[1].id]
    viewer = episodes.viewer(portal)
    visitor.until(lambda: progress.of_titles(portal.db, viewer, begun), "it is kept")
    visitor.go(f"/watch/{serial.series.slug}")
    visitor.until(lambda: plays(visitor, serial.episodes[1]), "the one begun")
    assert state(visitor)["time"] > 18

    visitor.go(f"/title/{serial.series.slug}")
    visitor.page.get_by_role("link", name="Trailer").first.click()

    visitor.until(lambda: plays(visitor, serial.trailer), "the trailer")
    assert "Harbour Lights · Trailer" in visitor.page.locator(".marquee").inner_text()


@pytest.mark.parametrize(
    ("minutes", "left"),
    [(9, None), (10, 30), (39, 30), (40, 35), (49, 35), (50, 40), (120, 40)],
)
def test_without_a_marker_the_card_comes_by_the_length_of_the_episode(
    visit: Visit, serial: Serial, minutes: int, left: int | None
) -> None:
    visitor = watching(visit, serial.episodes[0], "?from=20")

    shown: list[int] = visitor.page.evaluate(_CARD_COMES, minutes * 60)

    # Late in the film it comes no more: whoever is there wants to see the end.
    expected = [] if left is None else list(range(left, 19, -1))
    assert shown == expected


# For which whole seconds before the end a film of that length shows the card, when
# somebody comes to them from the beginning.
_CARD_COMES = """
async (duration) => {
    const { NextUp } = await import("/static/js/player/next-up.js");
    const video = Object.assign(new EventTarget(), {
        duration, currentTime: 0, ended: false, paused: true,
        closest: () => document.body,
    });
    const card = document.getElementById("next-up").cloneNode(true);
    const still = document.getElementById("still").cloneNode(true);
    const preferences = { values: { autoplay_next: true } };
    const nextUp = new NextUp({ card, still, video, preferences,
        go() {}, over() {}, busy: () => true });
    const shown = [];
    for (let left = 60; left > 0; left--) {
        nextUp.about({ name: "", label: "" }, [], duration);
        video.currentTime = duration - left;
        video.dispatchEvent(new Event("timeupdate"));
        if (nextUp.shown) {
            shown.push(left);
        }
    }
    nextUp.about(null, [], duration);
    return shown;
}
"""


def test_lock_screens_know_the_episode_and_its_neighbours(
    visit: Visit, serial: Serial
) -> None:
    visitor = visit()
    visitor.page.add_init_script(
        """
        const handlers = (window.handlers = {});
        const set = MediaSession.prototype.setActionHandler;
        MediaSession.prototype.setActionHandler = function (name, act) {
            handlers[name] = act;
            set.call(this, name, act);
        };
        """
    )
    visitor.go(f"/watch/{serial.episodes[1].slug}")
    visitor.until(lambda: plays(visitor, serial.episodes[1]), "it plays")

    told = visitor.page.evaluate(
        """() => {
            const { title, artist, artwork } = navigator.mediaSession.metadata;
            return [title, artist, artwork.length];
        }"""
    )
    assert told == ["The Ledger", "Harbour Lights · S1 E2", 3]
    visitor.page.evaluate("() => window.handlers.previoustrack()")
    visitor.until(lambda: plays(visitor, serial.episodes[0]), "the one before")
    assert visitor.page.evaluate("() => window.handlers.previoustrack") is None


def _focused(visitor: Visitor) -> str:
    found: str = visitor.page.evaluate(
        """() => {
            const at = document.activeElement;
            return at === document.body ? "" : at.textContent.trim();
        }"""
    )
    return found


def _shown(visitor: Visitor) -> bool:
    shown: bool = visitor.page.evaluate(
        """() => {
            const button = document.querySelector(".skip-part");
            return button !== null && getComputedStyle(button).opacity === "1";
        }"""
    )
    return shown
