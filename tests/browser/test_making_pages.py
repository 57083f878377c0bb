"""The pages about making films: they fit every screen, in the dark and in the light."""

import pytest

from appliance.catalog.titles import Title
from appliance.permissions import Role
from tests.browser import films, making
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.making import Making
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

_SIZES = {"phone": (390, 844), "laptop": (1440, 900), "television": (1920, 1080)}


@pytest.fixture(scope="module")
def made(portal: LivePortal, tmp_path_factory: pytest.TempPathFactory) -> Making:
    film: Title = films.publish(
        portal, tmp_path_factory.mktemp("made"), seconds=16, name="The Making"
    )
    return making.fill(portal, film)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_page_has_no_violation_and_fits_every_screen(
    visit: Visit, portal: LivePortal, made: Making, theme: str
) -> None:
    visitor = visit(Role.ADMINISTRATOR, reduced_motion="reduce")
    visitor.page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    for path in made.pages():
        making.announce(portal)
        visitor.go(path)
        assert visitor.page.locator("html").get_attribute("data-theme") == theme
        _unfold(visitor)
        for name, (width, height) in _SIZES.items():
            visitor.page.set_viewport_size({"width": width, "height": height})
            assert _sideways(visitor) <= 0, f"{path} scrolls sideways on a {name}"
            assert violations(visitor) == [], f"{path} on a {name}"


def test_the_page_of_a_job_says_what_fell_back_and_which_machine_did_what(
    visit: Visit, portal: LivePortal, made: Making
) -> None:
    making.announce(portal)
    visitor = visit(Role.ADMINISTRATOR)
    visitor.go(f"/studio/jobs/{made.job}")
    _unfold(visitor)
    text = visitor.page.locator("main").inner_text()

    assert "The processor encodes H.264 in place of VA-API." in text
    assert "encoder-1 (2), encoder-2 (2)" in text
    assert "no machine at work has the worker key" in text
    row = visitor.page.get_by_role("row", name="encode-0001")
    assert "encoder-2" in row.inner_text()


def _unfold(visitor: Visitor) -> None:
    visitor.page.evaluate(
        "() => document.querySelectorAll('main details').forEach((e) => e.open = true)"
    )


def _sideways(visitor: Visitor) -> int:
    wider: int = visitor.page.evaluate(
        "() => document.documentElement.scrollWidth - innerWidth"
    )
    return wider
