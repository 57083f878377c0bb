"""What makes watching comfortable: captions, data, chapters, transcript, keys."""

from functools import partial
from typing import Any

import pytest

from appliance.accounts import profiles
from appliance.accounts.tastes import Preferences
from appliance.catalog.titles import Title
from tests.browser import episodes, films
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.episodes import Serial
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor
from tests.browser.watching import after, requested, said, state, watching

pytestmark = pytest.mark.browser

_PANELS = r"player/(transcript|look|share|episodes|after)\.js"


@pytest.fixture(autouse=True)
def _as_on_the_first_day(portal: LivePortal) -> None:
    episodes.forget(portal)


def test_what_a_viewer_chose_once_is_chosen_on_another_device(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    visitor = watching(visit, film, "?from=6")
    visitor.page.keyboard.press("c")
    visitor.page.keyboard.press(">")
    _menu(visitor, ".shaka-language-button", "Français")
    visitor.until(lambda: _kept(portal).audio == "fr", "it is kept")

    another = watching(visit, film, "?from=6")

    another.until(lambda: _tracks(another) == ["fr", "en"], "sound and captions")
    another.until(lambda: state(another)["rate"] == 1.25, "the speed, as it plays")
    another.page.keyboard.press("c")
    another.until(lambda: _kept(portal).captions == "off", "off is kept too")
    another.go(f"/watch/{film.slug}?from=6")
    another.until(lambda: after(another, 7), "it plays again")
    assert _tracks(another) == ["fr", ""]
    assert _kept(portal).speed == 1.25


def test_captions_look_as_their_reader_wants_them_here_and_elsewhere(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    episodes.prefer(portal, captions="en")
    visitor = watching(visit, film, "?from=6")
    usual = visitor.until(lambda: _look(visitor), "captions")
    _menu(visitor, "text=Look of captions")
    panel = visitor.page.get_by_role("complementary", name="Look of captions")
    visitor.until(panel.is_visible, "the panel")
    assert violations(visitor) == []
    for name in ("200 %", "Yellow", "Solid", "Outline", "Top", "Typewriter"):
        panel.get_by_role("radio", name=name, exact=True).first.check()

    sample = panel.locator(".sample span").evaluate(_STYLE)
    chosen = visitor.until(
        lambda: (found := _look(visitor)) and found["top"] and found, "they look so"
    )
    assert sample["colour"] == chosen["colour"] == "rgb(255, 225, 77)"
    assert sample["background"] == chosen["background"] == "rgb(0, 0, 0)"
    assert "monospace" in chosen["font"]
    assert chosen["size"] == pytest.approx(2 * usual["size"], rel=0.02)
    visitor.until(lambda: len(_kept(portal).caption_style) == 6, "it is kept")

    another = watching(visit, film, "?from=6")
    assert another.until(lambda: _look(another), "captions") == chosen
    _menu(another, "text=Look of captions")
    another.page.get_by_role("button", name="As usual").click()
    another.until(lambda: _look(another) == usual, "as usual again")


def test_a_data_saver_takes_no_more_than_480_lines(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = watching(visit, locked, "?from=0")
    _menu(visitor, "text=Data saver")
    visitor.until(lambda: _kept(portal).data_saver, "it is kept")

    another = watching(visit, locked, "?from=0")
    another.until(lambda: after(another, 3), "it plays on")
    assert 0 < state(another)["height"] <= 480
    another.page.mouse.move(700, 400)
    another.page.locator(".shaka-overflow-menu-button").click()
    entry = another.page.get_by_role("menuitemcheckbox", name="Data saver")
    assert entry.get_attribute("aria-checked") == "true"


def test_a_browser_that_saves_data_is_believed(
    visit: Visit, portal: LivePortal, locked: Title
) -> None:
    visitor = visit()
    visitor.page.add_init_script(
        """Object.defineProperty(navigator, "connection",
            { value: { saveData: true, addEventListener() {} } });"""
    )
    visitor.go(f"/watch/{locked.slug}")

    visitor.until(lambda: after(visitor, 3), "it plays")
    assert 0 < state(visitor)["height"] <= 480
    assert not _kept(portal).data_saver


def test_chapters_stand_on_the_bar_and_in_a_menu_and_keys_step_through_them(
    visit: Visit, serial: Serial
) -> None:
    visitor = watching(visit, serial.episodes[0], "?from=1")
    press = visitor.page.keyboard.press
    press("k")
    for key, place in (("PageUp", 16), ("PageUp", 40), ("PageDown", 16)):
        press(key)
        visitor.until(partial(_stands_at, visitor, place), key)
    cue = visitor.page.get_by_role("status").filter(has_text="Tom & the <ledger>")
    visitor.until(cue.count, "the chapter is named")

    visitor.page.mouse.move(700, 400)
    visitor.page.locator(".shaka-overflow-menu-button").click()
    visitor.page.locator(".shaka-chapter-button").click()
    listed = visitor.page.locator(".shaka-chapter-item")
    names = listed.all_inner_texts()
    assert names == ["The harbour", "Tom & the <ledger>", "Chapter 3"]
    assert violations(visitor) == []
    listed.nth(2).click()
    visitor.until(lambda: state(visitor)["time"] == 40, "the chapter")


def test_a_transcript_follows_the_film_is_searched_and_jumped_through(
    visit: Visit, film: Title
) -> None:
    visitor = watching(visit, film, "?from=11")
    assert requested(visitor, _PANELS) == []
    visitor.page.keyboard.press("t")
    panel = visitor.page.get_by_role("complementary", name="Transcript")
    lines = panel.get_by_role("listitem")
    visitor.until(lambda: lines.count() == films.SECONDS // 5, "the lines")
    assert violations(visitor) == []
    _current(visitor, "0:10")
    _current(visitor, "0:15")

    lines.nth(8).get_by_role("button").click()
    visitor.until(lambda: after(visitor, 40), "the place")
    _current(visitor, "0:40")

    field = panel.get_by_role("searchbox")
    field.fill("REMÉMBER")
    assert "12 places" in panel.inner_text()
    assert panel.locator("mark").first.inner_text() == "remember"
    # What is typed is typed, and steers nothing.
    before = state(visitor)
    field.press_sequentially(" mkftn")
    assert "Not said in this video" in panel.inner_text()
    assert state(visitor)["paused"] == before["paused"]
    assert state(visitor)["muted"] == before["muted"]
    field.fill("people")
    field.press("Enter")
    visitor.until(lambda: state(visitor)["time"] < 6, "the first place")
    visitor.page.keyboard.press("Escape")
    assert not panel.is_visible()


def test_a_place_can_be_shared_also_where_there_is_no_clipboard(
    visit: Visit, film: Title
) -> None:
    visitor = visit()
    visitor.page.add_init_script(
        """delete Navigator.prototype.clipboard;
        document.addEventListener("copy", () => {
            window.copied = document.getSelection().toString();
        });"""
    )
    visitor.go(f"/watch/{film.slug}?from=21")
    visitor.until(lambda: after(visitor, 22), "it plays")
    _menu(visitor, "text=Share")
    panel = visitor.page.get_by_role("complementary", name="Share")
    visitor.until(panel.get_by_role("button", name="Copy").is_visible, "the panel")
    assert violations(visitor) == []

    panel.get_by_role("button", name="Copy").click()
    visitor.until(panel.get_by_text("Copied", exact=True).count, "it is copied")
    address = panel.get_by_label("Address").input_value()
    place = int(address.split("?from=")[1])
    assert 22 <= place < 30
    panel.get_by_label("Begin at").uncheck()
    assert panel.get_by_label("Address").input_value().endswith(f"/{film.slug}")

    visitor.page.goto(address)
    visitor.until(lambda: after(visitor, place), "it begins there")


def test_keys_can_be_switched_off_and_stay_off(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    visitor = watching(visit, film, "?from=0")
    visitor.page.keyboard.press("?")
    switch = visitor.page.get_by_role("switch", name="Steer the player")
    switch.uncheck()
    visitor.page.keyboard.press("Escape")
    visitor.page.keyboard.press("k")
    visitor.page.keyboard.press("m")
    visitor.until(lambda: not _kept(portal).keys, "it is kept")
    assert not state(visitor)["paused"]
    assert not state(visitor)["muted"]

    visitor.go(f"/watch/{film.slug}")
    visitor.until(lambda: after(visitor, 1), "it plays again")
    visitor.page.keyboard.press("k")
    assert not state(visitor)["paused"]
    _menu(visitor, "text=Keys")
    switch.check()
    visitor.page.keyboard.press("Escape")
    visitor.page.keyboard.press("k")
    visitor.until(lambda: state(visitor)["paused"], "K pauses again")


def test_an_error_tells_the_place_and_a_reference(visit: Visit, film: Title) -> None:
    visitor = visit()
    visitor.page.route("**/*.m4s", lambda route: route.abort())
    visitor.go(f"/watch/{film.slug}?from=20")

    words = said(visitor)

    assert "Reference" in words
    assert "Try again" in words
    assert "Back to The Long Minute" in words
    visitor.expect_problem("ERR_FAILED")
    # It is still trying.
    visitor.tolerated.append("ERR_FAILED")


def test_everything_beside_the_film_is_reached_by_the_keyboard_alone(
    visit: Visit, serial: Serial
) -> None:
    visitor = watching(visit, serial.episodes[1], "?from=45")
    press = visitor.page.keyboard.press
    reached = _tabbed(visitor, 24)
    for name in ("Next episode", "Episode before", "Episodes", "Transcript"):
        assert name in reached, reached
    while _named(visitor) != "Transcript":
        press("Tab")
    press("Enter")
    field = visitor.page.get_by_role("searchbox")
    visitor.until(lambda: field.evaluate("e => e === document.activeElement"), "field")
    press("Escape")
    assert _named(visitor) == "Transcript"
    while _named(visitor) != "More settings":
        press("Tab")
    press("Enter")
    visitor.until(lambda: _named(visitor).startswith("Captions"), "the menu")
    assert violations(visitor) == []
    press("Tab")
    assert _named(visitor) == "Look of captions"
    press("Enter")
    first = visitor.page.get_by_role("radio", name="100 %")
    visitor.until(lambda: first.evaluate("e => e === document.activeElement"), "size")
    press("ArrowRight")
    assert visitor.page.get_by_role("radio", name="125 %").is_checked()


@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (740, 360)])
def test_a_phone_has_film_and_panel_one_above_the_other(
    visit: Visit, serial: Serial, width: int, height: int
) -> None:
    visitor = visit(width=width, height=height, has_touch=True)
    visitor.go(f"/watch/{serial.episodes[0].slug}?from=7")
    visitor.until(lambda: after(visitor, 7.5), "it plays")
    visitor.page.keyboard.press("t")
    panel = visitor.page.get_by_role("complementary", name="Transcript")
    visitor.until(panel.get_by_role("listitem").count, "the lines")

    picture, beside = _box(visitor, "video"), _box(visitor, "#panel")
    assert picture["width"] >= width / 2
    upright = height > width
    apart = "y" if upright else "x"
    size = "height" if upright else "width"
    assert beside[apart] >= picture[apart] + picture[size] - 1
    assert beside["x"] + beside["width"] <= width + 1
    assert beside["y"] + beside["height"] <= height + 1
    assert violations(visitor) == []


def test_the_player_page_loads_little_of_its_own(visit: Visit, serial: Serial) -> None:
    visitor = watching(visit, serial.episodes[0], "?from=20")

    sizes: list[list[Any]] = visitor.page.evaluate(
        """async () => {
            const own = performance.getEntriesByType("resource")
                .map((each) => each.name)
                .filter((name) => /static\\/js\\/.*\\.js/.test(name));
            return Promise.all([...new Set(own)].map(async (name) => {
                const text = await (await fetch(name)).blob();
                const packed = text.stream().pipeThrough(
                    new CompressionStream("gzip"));
                return [name, (await new Response(packed).blob()).size];
            }));
        }"""
    )

    assert requested(visitor, _PANELS) == []
    assert sum(size for _, size in sizes) < 40_000, sizes


_STYLE = """
(element) => {
    const style = getComputedStyle(element);
    return {
        colour: style.color, background: style.backgroundColor,
        font: style.fontFamily, size: parseFloat(style.fontSize),
    };
}
"""


def _look(visitor: Visitor) -> dict[str, Any] | None:
    """Return how the caption that is shown looks, and whether it stands above."""
    found: dict[str, Any] | None = visitor.page.evaluate(
        f"""() => {{
            const box = document.querySelector(".shaka-text-container");
            const words = [...(box?.querySelectorAll("span") ?? [])]
                .find((each) => !each.children.length && each.textContent.trim());
            if (!words) {{
                return null;
            }}
            const middle = innerHeight / 2;
            return {{ ...({_STYLE})(words),
                top: words.getBoundingClientRect().top < middle }};
        }}"""
    )
    return found


def _menu(visitor: Visitor, entry: str, choice: str = "") -> None:
    """Open the menu behind the gear, and press an entry, and a choice in it."""
    visitor.page.mouse.move(600, 380)
    visitor.page.mouse.move(640, 400)
    visitor.page.locator(".shaka-overflow-menu-button").click()
    visitor.page.locator(".shaka-overflow-menu").locator(entry).first.click()
    if choice:
        offered = visitor.page.locator(".shaka-overflow-menu, .shaka-sub-menu")
        offered.get_by_role("menuitemradio", name=choice).first.click()
        visitor.page.keyboard.press("Escape")


def _tracks(visitor: Visitor) -> list[str]:
    """Return the languages of what is heard and of the captions that are shown."""
    languages: list[str] = visitor.page.evaluate(
        """() => {
            const chosen = (menu) => document.querySelector(
                `${menu} [aria-checked="true"]`)?.textContent.trim() ?? "";
            const names = { English: "en", Français: "fr", Off: "" };
            return [chosen(".shaka-audio-languages"), chosen(".shaka-text-languages")]
                .map((name) => names[name] ?? name);
        }"""
    )
    return languages


def _kept(portal: LivePortal) -> Preferences:
    viewer = episodes.viewer(portal)
    assert viewer.profile_id is not None
    return profiles.preferences(portal.db, viewer.profile_id)


def _stands_at(visitor: Visitor, seconds: float) -> bool:
    return bool(state(visitor)["time"] == seconds)


def _current(visitor: Visitor, time: str) -> None:
    """Wait until the line of a time is marked, and see that it is in sight."""
    line = visitor.page.locator(".transcript [aria-current]")
    visitor.until(lambda: line.count() and time in line.inner_text(), time)
    box = line.bounding_box()
    assert box is not None
    assert 0 <= box["y"] <= 900 - box["height"]


def _named(visitor: Visitor) -> str:
    name: str = visitor.page.evaluate(
        """() => {
            const at = document.activeElement;
            return at.getAttribute("aria-label") ?? at.textContent.trim();
        }"""
    )
    return name


def _tabbed(visitor: Visitor, times: int) -> list[str]:
    names = []
    for _ in range(times):
        visitor.page.keyboard.press("Tab")
        names.append(_named(visitor))
    return names


def _box(visitor: Visitor, selector: str) -> dict[str, float]:
    box = visitor.page.locator(selector).bounding_box()
    assert box is not None
    return {
        "x": box["x"],
        "y": box["y"],
        "width": box["width"],
        "height": box["height"],
    }
