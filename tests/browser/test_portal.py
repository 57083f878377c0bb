"""The portal in a browser: rows, keyboard, hiding with undo, themes, no JavaScript."""

import pytest

from appliance.catalog.titles import Title
from appliance.media import assets
from appliance.permissions import Actor, Role
from appliance.playback import progress
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_tab_goes_from_the_skip_link_through_the_header_to_every_card_of_a_row(
    visit: Visit, film: Title
) -> None:
    visitor = visit(Role.ADMINISTRATOR)
    visitor.go("/")

    stops = [_press_tab(visitor) for _ in range(24)]

    assert stops[0] == "Skip to content"
    assert stops.index("Home") < stops.index("Play")
    in_rows = [stop for stop in stops if stop.startswith("card:")]
    assert len(in_rows) >= 8
    assert all(_seen(visitor, stop) for stop in in_rows[:1])


def test_the_skip_link_leads_past_the_header(visit: Visit, film: Title) -> None:
    visitor = visit()
    visitor.go("/")

    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")

    assert visitor.page.evaluate("() => document.activeElement.id") == "main"


def test_a_focused_card_is_on_the_screen_and_not_under_the_header(
    visit: Visit, film: Title
) -> None:
    visitor = visit(width=390, height=700)
    visitor.go("/")
    cards = visitor.page.locator(".row .card")

    for number in range(cards.count()):
        cards.nth(number).focus()
        box = cards.nth(number).bounding_box()
        assert box is not None
        assert box["y"] >= 56
        assert box["x"] >= 0
        assert box["x"] < 390


def test_a_film_taken_out_of_continue_watching_can_be_put_back(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    _watch_some(portal, film, Role.PUBLISHER)
    visitor = visit(Role.PUBLISHER)
    visitor.go("/")
    row = visitor.page.locator("[data-row=continue]")
    card = row.locator("li", has_text=film.name)

    card.hover()
    card.get_by_role("button", name="Remove").click()
    visitor.until(lambda: card.count() == 0, "the card goes")
    visitor.page.get_by_role("button", name="Undo").click()
    visitor.until(lambda: card.count() == 1, "the card comes back")
    visitor.go("/")
    assert card.count() == 1

    card.hover()
    card.get_by_role("button", name="Remove").click()
    visitor.until(lambda: card.count() == 0, "the card goes again")
    visitor.go("/")
    assert row.count() == 0


def test_the_theme_is_kept_on_this_device_and_painted_at_once(
    visit: Visit, film: Title
) -> None:
    visitor = visit()
    visitor.go("/")

    visitor.page.get_by_role("button", name="account menu").click()
    visitor.page.get_by_role("button", name="Light theme").click()
    visitor.go("/search")

    assert visitor.page.locator("html").get_attribute("data-theme") == "light"
    background = visitor.page.evaluate(
        "() => getComputedStyle(document.documentElement).backgroundColor"
    )
    assert background == "rgb(246, 247, 249)"


def test_the_arrows_of_a_remote_control_reach_every_row_and_come_back(
    visit: Visit, film: Title, locked: Title
) -> None:
    visitor = visit(Role.ADMINISTRATOR, 1920, 1080, reduced_motion="reduce")
    visitor.go("/?tv=1")
    visitor.page.locator(".hero a.play").focus()

    cards = [_press(visitor, key) for key in ("Down", "Right")]
    below = _press(visitor, "Down")
    back = _press(visitor, "Up")

    assert len({*cards, below}) == 3
    assert all(each.startswith("card:") for each in (*cards, below))
    assert back == cards[-1], "a row remembers where it was left"
    assert _press(visitor, "Up") in ("Play", "More")
    assert _inside(visitor)


@pytest.mark.parametrize("code", [461, 10009], ids=["webOS", "Tizen"])
def test_back_closes_what_is_open_and_then_leads_to_where_one_was(
    visit: Visit, film: Title, code: int
) -> None:
    visitor = visit(Role.VIEWER, 1920, 1080, reduced_motion="reduce")
    visitor.go("/?tv=1")
    visitor.go("/new")
    card = visitor.page.locator(f"a[href='/title/{film.slug}']").first
    card.focus()
    card.press("Enter")
    visitor.page.wait_for_url("**/title/**")
    focused = "() => document.activeElement.textContent.trim()"
    assert film.name in visitor.page.evaluate(focused), "the button that plays"

    visitor.page.locator("button.avatar").press("Enter")
    menu = visitor.page.locator("#account-menu")
    visitor.until(menu.is_visible, "the menu is open")
    visitor.press_code(code)
    visitor.until(menu.is_hidden, "the menu is closed")
    assert "/title/" in visitor.page.url
    visitor.press_code(code)
    visitor.page.wait_for_url("**/new")

    at = "() => document.activeElement.getAttribute('href')"
    visitor.until(
        lambda: visitor.page.evaluate(at) == f"/title/{film.slug}", "where one was"
    )


def test_everything_but_playing_works_without_javascript(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    _watch_some(portal, film, Role.CONTRIBUTOR)
    visitor = visit(Role.CONTRIBUTOR, java_script_enabled=False)
    visitor.page.goto(portal.url)

    visitor.page.locator("[data-row=continue] li").first.hover()
    visitor.page.get_by_role("button", name=f"Remove {film.name}").click()
    assert visitor.page.locator("[data-row=continue]").count() == 0

    visitor.page.locator("#find").fill("long minute")
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("link", name=film.name).click()
    assert visitor.page.get_by_role("heading", level=1).inner_text() == film.name
    visitor.page.get_by_role("link", name="Resume").click()
    assert "needs JavaScript" in visitor.page.locator("noscript").inner_text()


def _press_tab(visitor: Visitor) -> str:
    visitor.page.keyboard.press("Tab")
    return _focused(visitor)


def _focused(visitor: Visitor) -> str:
    stop: str = visitor.page.evaluate(
        """() => {
            const at = document.activeElement;
            const card = at.matches(".card") && at.querySelector(".name").innerText;
            const row = card && at.closest(".row").dataset.row;
            const name = at.ariaLabel || at.innerText || at.id;
            return card ? `card:${row}:${card}` : name.trim().split("\\n")[0];
        }"""
    )
    return stop


def _press(visitor: Visitor, arrow: str) -> str:
    visitor.page.keyboard.press(f"Arrow{arrow}")
    return _focused(visitor)


def _inside(visitor: Visitor) -> bool:
    inside: bool = visitor.page.evaluate(
        """() => {
            const box = document.activeElement.getBoundingClientRect();
            return box.top >= 0 && box.bottom <= innerHeight
                && box.left >= 0 && box.right <= innerWidth;
        }"""
    )
    return inside


def _seen(visitor: Visitor, _stop: str) -> bool:
    ring: str = visitor.page.evaluate(
        "() => getComputedStyle(document.activeElement).outlineStyle"
    )
    return ring == "solid"


def _watch_some(portal: LivePortal, film: Title, role: Role) -> None:
    account = portal.db.one(
        """
        select accounts.id, profiles.id as profile
        from accounts join profiles on profiles.account_id = accounts.id
        where username = ?
        """,
        (f"the-{role}",),
    )
    asset = assets.playable(portal.db, film.id)
    assert account is not None
    assert asset is not None
    actor = Actor(f"the-{role}", account["id"], account["profile"], frozenset({role}))
    progress.save(portal.db, portal.settings, actor, asset, 20.0)
