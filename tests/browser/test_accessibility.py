"""Every page: no violation that axe finds, no scrolling sideways, no error."""

import pytest

from appliance.permissions import Role
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

_SIZES = {"phone": (320, 640), "laptop": (1440, 900), "television": (1920, 1080)}

# Who opens what; whoever adds a page adds it here. {slug} is a published title.
PAGES: tuple[tuple[Role | None, str], ...] = (
    (None, "/login"),
    (Role.VIEWER, "/"),
    (Role.VIEWER, "/title/{slug}"),
    (Role.VIEWER, "/watch/{slug}"),
    (Role.VIEWER, "/genre/drama"),
    (Role.VIEWER, "/new"),
    (Role.VIEWER, "/search"),
    (Role.VIEWER, "/search?q=the"),
    (Role.VIEWER, "/search?q=zzz"),
    (Role.VIEWER, "/nowhere"),
    (Role.VIEWER, "/account"),
    (Role.VIEWER, "/profiles"),
    (Role.VIEWER, "/history"),
    (Role.VIEWER, "/history/clear"),
    (Role.VIEWER, "/preferences"),
    (Role.VIEWER, "/account/totp"),
    (Role.VIEWER, "/account/tokens"),
    (Role.VIEWER, "/offline"),
    (Role.ADMINISTRATOR, "/studio/"),
    (Role.ADMINISTRATOR, "/studio/upload"),
    (Role.ADMINISTRATOR, "/studio/titles/{slug}"),
    (Role.ADMINISTRATOR, "/studio/protection"),
    (Role.ADMINISTRATOR, "/studio/jobs"),
    (Role.ADMINISTRATOR, "/studio/playing"),
    (Role.ADMINISTRATOR, "/studio/accounts"),
    (Role.ADMINISTRATOR, "/studio/accounts/new"),
    (Role.ADMINISTRATOR, "/studio/accounts/the-viewer"),
    (Role.ADMINISTRATOR, "/studio/groups"),
    (Role.ADMINISTRATOR, "/studio/access"),
    (Role.ADMINISTRATOR, "/studio/access?user=the-viewer&title={slug}"),
    (Role.ADMINISTRATOR, "/studio/audit"),
    (Role.ADMINISTRATOR, "/studio/brand"),
    (Role.ADMINISTRATOR, "/studio/announcements"),
    (Role.ADMINISTRATOR, "/studio/webhooks"),
    (Role.ADMINISTRATOR, "/studio/mail"),
    (Role.ADMINISTRATOR, "/studio/tokens"),
    (Role.ADMINISTRATOR, "/studio/storage"),
    (Role.ADMINISTRATOR, "/studio/status"),
)


@pytest.mark.parametrize(("role", "path"), PAGES, ids=[path for _, path in PAGES])
def test_a_page_has_no_violation_and_fits_every_screen(
    visit: Visit, slug: str, role: Role | None, path: str
) -> None:
    visitor = visit(role, reduced_motion="reduce")
    visitor.go(path.format(slug=slug))

    for name, (width, height) in _SIZES.items():
        visitor.page.set_viewport_size({"width": width, "height": height})
        assert _sideways(visitor) <= 0, f"scrolls sideways on a {name}"
        assert violations(visitor) == [], name
    _forget_missing_page(visitor, path)


@pytest.mark.parametrize("path", ["/", "/title/{slug}", "/login", "/studio/"])
def test_the_light_theme_has_no_violation(visit: Visit, slug: str, path: str) -> None:
    role = None if path == "/login" else Role.ADMINISTRATOR
    visitor = visit(role, reduced_motion="reduce")
    visitor.page.add_init_script("localStorage.setItem('theme', 'light')")
    visitor.go(path.format(slug=slug))

    assert visitor.page.locator("html").get_attribute("data-theme") == "light"
    assert violations(visitor) == []


@pytest.mark.parametrize("path", ["/", "/title/{slug}", "/search?q=the"])
def test_a_television_gets_large_text_and_nothing_outside_the_screen(
    visit: Visit, slug: str, path: str
) -> None:
    visitor = visit(Role.VIEWER, 1920, 1080, reduced_motion="reduce")
    visitor.go("/?tv=1")
    visitor.go(path.format(slug=slug))

    size = visitor.page.evaluate(
        "() => getComputedStyle(document.documentElement).fontSize"
    )
    assert size == "24px"
    assert _sideways(visitor) <= 0
    assert violations(visitor) == []


@pytest.mark.parametrize("path", ["/", "/title/{slug}", "/preferences", "/studio/"])
def test_letters_of_twice_the_size_push_nothing_off_the_page(
    visit: Visit, slug: str, path: str
) -> None:
    visitor = visit(Role.ADMINISTRATOR, 1280, 800, reduced_motion="reduce")
    visitor.go(path.format(slug=slug))
    before = visitor.page.evaluate(_LETTERS)

    visitor.page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")

    assert visitor.page.evaluate(_LETTERS) >= 1.9 * before
    assert _sideways(visitor) <= 0
    assert violations(visitor) == []


@pytest.mark.parametrize("path", ["/", "/title/{slug}", "/login"])
def test_colours_that_somebody_chose_for_all_pages_leave_a_mark_on_what_has_the_focus(
    visit: Visit, slug: str, path: str
) -> None:
    role = None if path == "/login" else Role.VIEWER
    visitor = visit(role, reduced_motion="reduce", forced_colors="active")
    visitor.go(path.format(slug=slug))

    for _ in range(3):
        visitor.page.keyboard.press("Tab")
        outline = visitor.page.evaluate(
            "() => getComputedStyle(document.activeElement).outlineStyle"
        )
        assert outline not in ("none", ""), visitor.page.evaluate(
            "() => document.activeElement.outerHTML.slice(0, 120)"
        )


_LETTERS = "() => parseFloat(getComputedStyle(document.querySelector('main')).fontSize)"


def _sideways(visitor: Visitor) -> int:
    wider: int = visitor.page.evaluate(
        "() => document.documentElement.scrollWidth - innerWidth"
    )
    return wider


def _forget_missing_page(visitor: Visitor, path: str) -> None:
    if path == "/nowhere":
        visitor.expect_problem("404")
