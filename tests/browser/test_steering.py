"""From signing in to the settings of the player without a mouse: by Tab, by arrows."""

import itertools
import re

import pytest

from appliance.accounts import pins, profiles, sessions
from appliance.accounts.people import Account
from appliance.catalog.titles import Title
from appliance.permissions import SYSTEM, Role
from tests.browser import evening
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.steering import Steering
from tests.browser.watching import state
from tests.builders import PASSWORD
from web import guard

pytestmark = pytest.mark.browser

_numbers = itertools.count()


@pytest.fixture
def household(portal: LivePortal) -> Account:
    """An account with two profiles; the second takes a PIN."""
    name = f"household-{next(_numbers)}"
    account = portal.make.account(name, roles=(Role.VIEWER,), display_name="Ann")
    profiles.add(portal.db, portal.settings, SYSTEM, account.id, "Bo", avatar="owl")
    _first, locked = profiles.of_account(portal.db, account.id)
    _token, signed_in = sessions.start(
        portal.db, portal.settings, account.id, address="", user_agent="", kind="api"
    )
    pins.set_of_profile(
        *(portal.db, portal.settings, signed_in.actor("")),
        *(locked.public_id, "1234", PASSWORD),
    )
    return account


def test_a_keyboard_is_enough_from_signing_in_to_the_settings_of_the_player(
    visit: Visit, portal: LivePortal, household: Account, film: Title
) -> None:
    visitor = visit(None, reduced_motion="reduce")
    page, steer = visitor.page, Steering(visitor)
    visitor.go("/")
    steer.wait_for("User name")
    page.keyboard.type(household.username)
    steer.reach("Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_url("**/profiles**")
    steer.choose("Bo takes a PIN")
    page.wait_for_url("**/open**")
    steer.wait_for("PIN of this profile")
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{portal.url}/")

    steer.choose("Skip to content")
    steer.reach("Play")
    steer.reach("More")
    visitor.go("/")
    steer.reach("Search titles")
    page.keyboard.type(film.name)
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Escape")
    assert steer.name.startswith("Search titles")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search\?q="))

    steer.choose(film.name)
    page.wait_for_url(f"**/title/{film.slug}")
    steer.choose("Play")
    page.wait_for_url(f"**/watch/{film.slug}*")
    visitor.until(lambda: state(visitor)["time"] > 0, "it plays")
    steer.choose("More settings")
    steer.wait_for("Captions")
    page.keyboard.press("Enter")
    steer.wait_for("Off")
    steer.choose("English", "Shift+Tab")
    steer.wait_for("Captions English")
    steer.reach("Data saver")
    assert violations(visitor) == []
    page.keyboard.press("Escape")
    steer.wait_for("More settings")
    steer.choose("Transcript", "Shift+Tab")
    steer.wait_for("Search in the video")
    page.keyboard.press("Escape")
    steer.wait_for("Transcript")
    assert steer.lost == [], steer.lost


def test_arrows_are_enough_from_signing_in_to_the_settings_of_the_player(
    visit: Visit, portal: LivePortal, household: Account, film: Title
) -> None:
    visitor = visit(None, 1920, 1080, reduced_motion="reduce")
    page, steer = visitor.page, Steering(visitor)
    visitor.go("/login?tv=1")
    steer.wait_for("User name")
    page.keyboard.type(household.username)
    steer.reach("Password", "ArrowDown")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_url("**/profiles**")
    steer.wait_for("A Ann")
    steer.choose("Bo takes a PIN", "ArrowRight")
    page.wait_for_url("**/open**")
    steer.wait_for("1")
    assert violations(visitor) == []
    for key in ("Enter", "ArrowRight", "Enter", "ArrowRight", "Enter"):
        steer.press(key)
    for key in ("ArrowDown", "ArrowLeft", "ArrowLeft", "Enter"):
        steer.press(key)
    assert page.locator("#pin").input_value() == "1234"
    steer.choose("Open", "ArrowDown")
    page.wait_for_url(f"{portal.url}/*")

    steer.wait_for("Play")
    steer.press("ArrowDown")
    assert page.evaluate("document.activeElement.matches('.row .card')")
    steer.reach("Matinee, home", "ArrowUp")
    steer.choose("Search", "ArrowRight")
    page.wait_for_url("**/search")
    steer.wait_for("Search titles")
    page.keyboard.type(film.name)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search\?q="))
    steer.wait_for(film.name)

    page.keyboard.press("Enter")
    page.wait_for_url(f"**/title/{film.slug}")
    steer.wait_for("Play")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/watch/{film.slug}*")
    visitor.until(lambda: state(visitor)["time"] > 0, "it plays")
    steer.press("ArrowDown")
    steer.choose("More settings", "ArrowRight")
    steer.wait_for("Captions")
    steer.reach("Data saver", "ArrowDown")
    page.keyboard.press("Escape")
    steer.wait_for("More settings")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_url(f"**/title/{film.slug}")
    steer.wait_for(film.name)
    assert steer.lost == [], steer.lost


def test_preferences_are_set_with_arrows(
    visit: Visit, portal: LivePortal, household: Account, film: Title
) -> None:
    visitor = visit(None, 1920, 1080, reduced_motion="reduce")
    page, steer = visitor.page, Steering(visitor)
    signed = evening.token(portal, f"{household.username}/Ann")
    page.context.add_cookies(
        [{"name": guard.COOKIE, "value": signed, "url": portal.url}]
    )
    visitor.go("/?tv=1")
    steer.wait_for("Play")
    steer.reach("Matinee, home", "ArrowUp")
    steer.choose("Ann, account menu", "ArrowRight")
    page.locator("#account-menu").wait_for()
    steer.choose("Preferences", "ArrowDown")
    page.wait_for_url("**/preferences")

    steer.reach("Save data", "ArrowDown")
    steer.press("Enter")
    assert page.get_by_label("Save data").is_checked()
    assert page.url.endswith("/preferences")
    steer.reach("Speed", "ArrowDown")
    steer.press("ArrowRight")
    faster = page.get_by_label("Speed").input_value()
    assert float(faster) > 1
    steer.choose("Save", "ArrowDown")
    page.get_by_text("saved").first.wait_for()
    assert page.get_by_label("Speed").input_value() == faster
    assert steer.lost == [], steer.lost
