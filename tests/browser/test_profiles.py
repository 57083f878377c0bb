"""Profiles in Chromium: who watches, a child's portal, PINs; with mouse and keys."""

import itertools
from dataclasses import dataclass

import pytest

from appliance.accounts import pins, profiles, sessions
from appliance.accounts.profiles import Profile
from appliance.permissions import SYSTEM, Role
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor
from tests.builders import PASSWORD
from web import guard

pytestmark = pytest.mark.browser

_SIZES = {"phone": (390, 844), "laptop": (1440, 900), "television": (1920, 1080)}
_numbers = itertools.count()


@dataclass(frozen=True)
class Family:
    """An account with a parent, a child, and somebody behind a PIN."""

    username: str
    parent: Profile
    child: Profile
    locked: Profile


@pytest.fixture
def family(portal: LivePortal) -> Family:
    name = f"family-{next(_numbers)}"
    account = portal.make.account(name, roles=(Role.ADMINISTRATOR,), display_name="Ann")
    for shown, avatar, fields in (
        ("Kids", "fox", {"kids": True, "rating_limit": 6}),
        ("Bo", "owl", {}),
    ):
        profiles.add(
            portal.db, portal.settings, SYSTEM, account.id, shown, avatar=avatar,
            **fields,  # type: ignore[arg-type]
        )  # fmt: skip
    parent, child, locked = profiles.of_account(portal.db, account.id)
    _token, signed_in = sessions.start(
        portal.db, portal.settings, account.id, address="", user_agent="", kind="api"
    )
    own = signed_in.actor("")
    pins.set_own(portal.db, portal.settings, own, "5678", PASSWORD)
    pins.set_of_profile(
        portal.db, portal.settings, own, locked.public_id, "1234", PASSWORD
    )
    return Family(name, parent, child, locked)


def _enter(
    visit: Visit,
    portal: LivePortal,
    family: Family,
    size: str = "laptop",
    mode: str = "",
) -> Visitor:
    """Open a browser that is signed in, and where nobody has said who watches."""
    width, height = _SIZES[size]
    visitor = visit(None, width, height, reduced_motion="reduce")
    token, _signed_in = sessions.sign_in(
        portal.db,
        portal.settings,
        family.username,
        PASSWORD,
        None,
        address="127.0.0.1",
        user_agent="test",
    )
    visitor.page.context.add_cookies(
        [{"name": guard.COOKIE, "value": token, "url": portal.url}]
    )
    visitor.go(f"/{mode}")
    return visitor


@pytest.mark.parametrize("size", list(_SIZES))
def test_who_watches_is_asked_and_a_child_gets_a_portal_of_its_own(
    visit: Visit, portal: LivePortal, family: Family, size: str
) -> None:
    visitor = _enter(visit, portal, family, size)
    page = visitor.page
    assert page.title().startswith("Who’s watching?")
    assert page.locator(".person").count() == 4
    assert violations(visitor) == []
    assert _sideways(visitor) <= 0

    page.get_by_role("button", name="Kids").click()
    page.wait_for_url(f"{portal.url}/")
    assert page.evaluate("document.documentElement.hasAttribute('data-kids')")
    assert page.get_by_text("The Glass Orchard").count() == 0
    assert violations(visitor) == []
    page.locator("button.avatar").click()
    menu = page.locator("#account-menu")
    assert menu.get_by_role("link", name="Switch profile").is_visible()
    assert menu.get_by_text("My account").count() == 0
    assert menu.get_by_text("Studio").count() == 0

    menu.get_by_role("link", name="Switch profile").click()
    assert page.get_by_role("link", name="Add profile").count() == 0
    page.get_by_role("link", name="Ann").click()
    page.get_by_label("PIN of the account").fill("0000")
    page.get_by_role("button", name="Open").click()
    page.get_by_text("That is not the PIN.").wait_for()
    visitor.until(lambda: visitor.problems, "Chromium names the refusal")
    visitor.expect_problem("400")
    assert violations(visitor) == []
    page.get_by_label("PIN of the account").fill("5678")
    page.get_by_role("button", name="Open").click()
    page.wait_for_url(f"{portal.url}/")
    assert not page.evaluate("document.documentElement.hasAttribute('data-kids')")


def test_a_profile_is_added_with_the_keyboard_alone(
    visit: Visit, portal: LivePortal, family: Family
) -> None:
    visitor = _enter(visit, portal, family)
    page = visitor.page
    page.get_by_role("button", name="Ann").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{portal.url}/")
    visitor.go("/profiles")
    page.get_by_role("link", name="Add profile").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/profiles/new")

    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("Zoë")
    letters = page.locator(".faces .face[data-colour]").first
    assert letters.inner_text() == "Z"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    chosen = page.locator("input[name=avatar]:checked").get_attribute("value")
    kids = page.get_by_label("This is a child’s profile")
    kids.focus()
    page.keyboard.press("Space")
    # A child's profile is never without a limit.
    assert page.get_by_label("Shows titles").input_value() == "6"
    page.get_by_label("PIN of the account").focus()
    page.keyboard.type("5678")
    page.keyboard.press("Enter")
    page.wait_for_url("**/profiles")

    made = profiles.named(portal.db, family.username, "Zoë")
    assert (made.kids, made.rating_limit, made.avatar) == (True, 6, chosen)
    assert page.get_by_role("button", name="Zoë").is_visible()


def test_a_remote_control_chooses_who_watches(
    visit: Visit, portal: LivePortal, family: Family
) -> None:
    visitor = _enter(visit, portal, family, "television", "?tv=1")
    page = visitor.page
    visitor.until(lambda: _focused(visitor).startswith("Ann"), "the first is focused")
    page.keyboard.press("ArrowRight")
    assert _focused(visitor).startswith("Kids")
    page.keyboard.press("ArrowRight")
    assert _focused(visitor).startswith("Bo")
    page.keyboard.press("Enter")
    page.locator("#pin").wait_for()
    visitor.until(lambda: _focused(visitor) == "1", "the PIN is asked")
    assert violations(visitor) == []
    page.keyboard.type("1234")
    assert page.evaluate("document.activeElement.id") == "pin"
    page.keyboard.press("Enter")
    page.wait_for_url(f"{portal.url}/?tv=1", wait_until="load")
    page.wait_for_load_state("networkidle")
    assert violations(visitor) == []


def test_the_history_loses_one_and_then_all(
    visit: Visit, portal: LivePortal, family: Family, slug: str
) -> None:
    visitor = _enter(visit, portal, family)
    page = visitor.page
    page.get_by_role("button", name="Ann").click()
    page.wait_for_url(f"{portal.url}/")
    film = portal.db.value(
        "select a.id from assets a join titles t on t.id = a.title_id where t.slug = ?",
        (slug,),
    )
    portal.db.table("progress").insert(
        {
            "profile_id": family.parent.id,
            "asset_id": film,
            "position": 3.0,
            "duration": 8.0,
            "updated_at": portal.db.now(),
        }
    )
    visitor.go("/history")
    assert page.locator(".watched > li").count() == 1
    assert violations(visitor) == []
    page.locator(".watched .round").click()
    page.wait_for_load_state()
    assert page.get_by_text("Nothing watched yet").is_visible()
    assert violations(visitor) == []


def test_captions_show_at_once_how_they_will_look(
    visit: Visit, portal: LivePortal, family: Family
) -> None:
    visitor = _enter(visit, portal, family)
    page = visitor.page
    page.get_by_role("button", name="Ann").click()
    page.wait_for_url(f"{portal.url}/")
    visitor.go("/preferences")
    page.get_by_label("Colour of the letters").select_option("yellow")
    line = page.locator(".screen .line")
    assert line.evaluate("(each) => getComputedStyle(each).color") == "rgb(255, 255, 0)"
    page.get_by_role("button", name="Save").click()
    page.wait_for_load_state()
    assert page.get_by_label("Colour of the letters").input_value() == "yellow"
    assert violations(visitor) == []


@pytest.mark.parametrize(
    "path", ["/profiles/manage", "/profiles/new", "/profiles/{locked}", "/account"]
)
def test_the_pages_of_profiles_have_no_violation_and_fit_every_screen(
    visit: Visit, portal: LivePortal, family: Family, path: str
) -> None:
    visitor = _enter(visit, portal, family)
    visitor.page.get_by_role("button", name="Ann").click()
    visitor.page.wait_for_url(f"{portal.url}/")
    visitor.go(path.format(locked=family.locked.public_id))

    for width, height in ((320, 640), *_SIZES.values()):
        visitor.page.set_viewport_size({"width": width, "height": height})
        assert _sideways(visitor) <= 0, width
        assert violations(visitor) == [], width


def _focused(visitor: Visitor) -> str:
    found = visitor.page.evaluate("document.activeElement.innerText.trim()")
    return str(found).removeprefix("A\n").strip()


def _sideways(visitor: Visitor) -> int:
    return int(
        visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    )
