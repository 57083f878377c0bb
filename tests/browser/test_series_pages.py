"""Series and people in Chromium: seen, steered, described; nothing that axe finds."""

import pytest

from appliance.catalog import artwork, credits, series, titles
from appliance.catalog.artwork import ArtworkKind
from appliance.permissions import SYSTEM, Role
from tests.browser import saga as sagas
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.saga import Saga
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

_SIZES = {"phone": (320, 640), "laptop": (1440, 900), "television": (1920, 1080)}
_PAGES = (
    (Role.VIEWER, "/title/{whole}"),
    (Role.VIEWER, "/title/{whole}?season=2"),
    (Role.VIEWER, "/title/{episode}"),
    (Role.VIEWER, "/person/grace-hopper"),
    (Role.VIEWER, "/person/ada-byron"),
    (Role.VIEWER, "/tag/slow-burn"),
    (Role.PUBLISHER, "/studio/new?kind=episode"),
    (Role.PUBLISHER, "/studio/titles/{whole}"),
    (Role.PUBLISHER, "/studio/titles/{episode}"),
    (Role.PUBLISHER, "/studio/titles/{whole}/seasons"),
    (Role.PUBLISHER, "/studio/titles/{whole}/credits"),
    (Role.PUBLISHER, "/studio/titles/{whole}/translations"),
    (Role.PUBLISHER, "/studio/titles/{whole}/artwork"),
    (Role.PUBLISHER, "/studio/people"),
    (Role.PUBLISHER, "/studio/people/ines-maron"),
    (Role.PUBLISHER, "/studio/people/ines-maron/remove"),
)


@pytest.fixture(scope="module")
def saga(portal: LivePortal, tmp_path_factory: pytest.TempPathFactory) -> Saga:
    return sagas.publish(portal, tmp_path_factory.mktemp("saga"))


def _path(path: str, saga: Saga) -> str:
    return path.format(whole=saga.whole.slug, episode=saga.episodes[1][1].slug)


@pytest.mark.parametrize(("role", "path"), _PAGES, ids=[path for _, path in _PAGES])
def test_a_page_has_no_violation_and_fits_every_screen(
    visit: Visit, saga: Saga, role: Role, path: str
) -> None:
    visitor = visit(role, reduced_motion="reduce")
    visitor.go(_path(path, saga))

    for name, (width, height) in _SIZES.items():
        visitor.page.set_viewport_size({"width": width, "height": height})
        assert _sideways(visitor) <= 0, f"scrolls sideways on a {name}"
        assert violations(visitor) == [], name
        assert _small_targets(visitor) == [], name


def test_a_season_is_chosen_without_a_script(visit: Visit, saga: Saga) -> None:
    visitor = visit(Role.VIEWER, 390, 844, java_script_enabled=False)
    visitor.page.goto(f"{visitor.home}/title/{saga.whole.slug}")
    page = visitor.page

    page.get_by_role("link", name="The Thaw", exact=True).click()

    assert page.get_by_role("link", name="1. A cellar door", exact=True).is_visible()
    assert not page.get_by_text("1. Grafting", exact=True).is_visible()
    page.get_by_role("link", name="Specials", exact=True).click()
    page.get_by_role("link", name="1. Behind the trees", exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == "Behind the trees"


def test_from_a_series_to_its_cast_and_back(visit: Visit, saga: Saga) -> None:
    visitor = visit(Role.VIEWER)
    visitor.go(f"/title/{saga.whole.slug}")
    page = visitor.page

    assert page.get_by_role("img", name="The Frost Orchard").is_visible()
    page.get_by_role("link", name="Ines Maron").click()
    page.wait_for_url("**/person/ines-maron")
    portrait = page.locator("img.portrait")
    assert portrait.evaluate("image => image.currentSrc").endswith(".avif")
    page.get_by_role("link", name="The Frost Orchard").click()
    page.wait_for_url(f"**/title/{saga.whole.slug}")
    page.get_by_role("link", name="winter", exact=True).click()
    page.wait_for_url("**/tag/winter")


def test_on_a_television_the_episodes_are_steered_with_arrow_keys(
    visit: Visit, saga: Saga
) -> None:
    visitor = visit(Role.VIEWER, 1920, 1080, reduced_motion="reduce")
    visitor.go(f"/title/{saga.whole.slug}?tv=1")
    page = visitor.page
    seen = []

    for _press in range(12):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(150)
        seen.append(
            page.evaluate(
                """() => {
                    const box = document.activeElement.getBoundingClientRect();
                    return [document.activeElement.getAttribute("href"),
                        box.top >= 0 && box.bottom <= innerHeight + 1
                        && box.left >= 0 && box.right <= innerWidth + 1];
                }"""
            )
        )

    watched = [address for address, _ in seen if address and "/watch/" in address]
    assert len(set(watched)) >= 3, seen
    assert all(inside for _, inside in seen), seen


def test_a_series_is_described_in_the_studio_and_seen_in_the_portal(
    visit: Visit, saga: Saga, portal: LivePortal
) -> None:
    visitor = visit(Role.PUBLISHER)
    visitor.go("/studio/new")
    page = visitor.page
    belongs = page.locator(".belongs")
    assert not belongs.is_visible()
    page.get_by_label("Kind").select_option("episode")
    assert belongs.is_visible()
    page.get_by_label("Kind").select_option("series")
    page.get_by_label("Title", exact=True).fill("Tide Tables")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/studio/titles/tide-tables")
    whole = titles.by_slug(portal.db, SYSTEM, "tide-tables")

    page.get_by_role("link", name="Episodes", exact=True).click()
    page.get_by_role("link", name="Add an episode").first.click()
    page.get_by_label("Title", exact=True).fill("Ebb")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/tide-tables-s1e1-ebb")

    visitor.go("/studio/titles/tide-tables/credits")
    with page.expect_response(lambda answer: "people.json?q=Ines" in answer.url):
        page.get_by_label("Name 1").press_sequentially("Ines")
    offered = page.locator("#people option")
    visitor.until(lambda: offered.count() == 1, "names are offered")
    page.get_by_label("Name 1").fill(str(offered.first.get_attribute("value")))
    page.get_by_label("Name 2").fill("Somebody New")
    page.get_by_role("button", name="More rows").click()
    page.get_by_role("button", name="Move Somebody New up").click()
    page.get_by_role("button", name="Save", exact=True).last.click()
    visitor.until(
        lambda: (
            [each.name for each in credits.of_title(portal.db, whole.id)]
            == ["Somebody New", "Ines Maron"]
        ),
        "the cast is saved in its new order",
    )
    (season,) = series.seasons(portal.db, SYSTEM, whole)
    assert [each.name for each in season.episodes] == ["Ebb"]


def test_a_poster_is_cut_around_where_somebody_presses(
    visit: Visit, saga: Saga, portal: LivePortal
) -> None:
    visitor = visit(Role.PUBLISHER, 320, 640)
    visitor.go(f"/studio/titles/{saga.whole.slug}/artwork")
    page = visitor.page
    image = page.locator("#poster input[type=image]")
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    assert box is not None

    image.click(position={"x": box["width"] * 0.25, "y": box["height"] * 0.5})
    page.wait_for_load_state()

    def cut() -> bool:
        found = artwork.shown(portal.db, saga.whole.id, ArtworkKind.POSTER)
        return found is not None and abs(found.focal_x - 0.25) < 0.02

    visitor.until(cut, "the poster is cut anew")


def test_a_series_is_read_from_right_to_left(
    visit: Visit, saga: Saga, portal: LivePortal
) -> None:
    visitor = visit(Role.VIEWER, 390, 844, locale="ar")
    visitor.go(f"/title/{saga.whole.slug}")

    assert _sideways(visitor) <= 0


def _sideways(visitor: Visitor) -> int:
    return int(
        visitor.page.evaluate(
            "() => document.documentElement.scrollWidth"
            " - document.documentElement.clientWidth"
        )
    )


def _small_targets(visitor: Visitor) -> list[str]:
    """Return what can be pressed and is smaller than 24 pixels, but for words."""
    found: list[str] = visitor.page.evaluate(
        """() => [...document.querySelectorAll("main button, main .round, main .card")]
            .filter((each) => each.checkVisibility() && !each.closest(".vh")
                && !each.classList.contains("vh"))
            .filter((each) => {
                const box = each.getBoundingClientRect();
                return box.width > 0 && (box.width < 24 || box.height < 24);
            }).map((each) => each.outerHTML.slice(0, 120))"""
    )
    return found
