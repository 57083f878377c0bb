"""Libraries in the Studio, as somebody sees and uses them."""

import json

import pytest

from appliance.catalog import libraries, titles
from appliance.catalog.titles import Title
from appliance.permissions import SYSTEM, Role
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

_SIZES = {"phone": (320, 640), "laptop": (1440, 900), "television": (1920, 1080)}


@pytest.fixture
def described(portal: LivePortal) -> Title:
    """A title in a library, whose film was analysed."""
    encode = portal.settings.encode
    if not libraries.listing(portal.db):
        fields = {"codecs": "h264,av1", "max_height": 1080, "keep_source": "verified"}
        libraries.add(portal.db, SYSTEM, encode, "Safety trainings", fields)
    library = libraries.by_slug(portal.db, "safety-trainings")
    title = portal.make.title(library_id=library.id)
    asset = portal.make.asset(title)
    heights = {"234p": True, "360p": True, "1080p": False}
    entries = [
        {
            "name": name,
            "codec": "h264",
            "quality": 24,
            "kept": kept,
            "score": 91.4,
            "kbps": 200,
            "cap": 600,
            "why": "Like most films."
            if kept
            else "Looks like 360p: nobody would see what it adds.",
        }
        for name, kept in heights.items()
    ]
    analysis = {
        "kind": "screen",
        "measure": "vmaf",
        "renditions": entries,
        "saved": {"percent": 38, "bytes": 412_000_000},
    }
    portal.db.table("assets").update(asset.id, {"analysis": json.dumps(analysis)})
    return titles.by_id(portal.db, title.id)


def test_the_pages_of_libraries_have_no_violation_and_fit_every_screen(
    visit: Visit, described: Title
) -> None:
    visitor = visit(Role.ADMINISTRATOR, reduced_motion="reduce")
    for path in (
        "/studio/libraries",
        "/studio/libraries/safety-trainings",
        "/studio/libraries/safety-trainings/remove",
        f"/studio/titles/{described.slug}",
    ):
        visitor.go(path)
        for name, (width, height) in _SIZES.items():
            visitor.page.set_viewport_size({"width": width, "height": height})
            assert _sideways(visitor) <= 0, f"{path} scrolls sideways on a {name}"
            assert violations(visitor) == [], f"{path} on a {name}"


def test_somebody_makes_a_library_and_puts_a_title_into_it(
    visit: Visit, portal: LivePortal, described: Title
) -> None:
    visitor = visit(Role.ADMINISTRATOR)
    page = visitor.page
    visitor.go("/studio/libraries")
    page.get_by_label("Name").fill("Old films")
    page.get_by_role("button", name="Make it").click()

    page.get_by_label("Highest rendition").select_option("720p")
    page.get_by_label("Quality (CRF)").fill("24")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved. It counts for what is encoded from now on.").wait_for()

    visitor.go(f"/studio/titles/{described.slug}")
    page.get_by_label("Library").select_option("Old films")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_text("Saved.").wait_for()

    found = libraries.of_title(portal.db, described.id)
    assert found is not None
    assert (found.name, found.policy) == ("Old films", {"max_height": 720, "crf": 24})


def _sideways(visitor: Visitor) -> int:
    script = "() => document.documentElement.scrollWidth - innerWidth"
    return int(visitor.page.evaluate(script))
