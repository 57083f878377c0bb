"""Home, search and lists in a browser: as somebody types, hovers, has no scripts."""

import gzip
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Locator, Request

from appliance.catalog import collections
from appliance.catalog.titles import Title
from appliance.db import write
from appliance.discovery import arranging, indexing
from appliance.media import assets
from appliance.objects import Stores
from appliance.permissions import SYSTEM, Role
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal

pytestmark = pytest.mark.browser

_MOST_SCRIPT = 60_000
_MOST_MILLISECONDS, _MOST_SHIFT = 4000, 0.05
_MOST_BLOCKING, _MOST_BLOCKING_BYTES = 6, 40_000
_SIZES = ((390, 844), (1440, 900), (1920, 1080))


@pytest.fixture(scope="module", autouse=True)
def arranged(portal: LivePortal) -> Iterator[str]:
    """Index the catalogue, and arrange a row by a rule and a collection; its slug."""
    orchard = portal.db.value("select slug from titles where name like '%Orchard'")
    made = collections.add(portal.db, SYSTEM, "Quiet evenings", members=[orchard])
    rule = {"genre": "training"}
    row = arranging.add(portal.db, SYSTEM, "rule", "Safety first", rule=rule)
    indexing.catch_up(portal.db, Stores(portal.storage, portal.settings))
    yield made.slug
    arranging.remove(portal.db, SYSTEM, row.public_id)
    collections.remove(portal.db, SYSTEM, made.slug)


def test_search_as_you_type_by_keyboard(visit: Visit) -> None:
    visitor = visit()
    visitor.go("/")
    field = visitor.page.get_by_role("combobox", name="Search titles")
    options = visitor.page.get_by_role("option")

    field.press_sequentially("glas")
    visitor.until(lambda: options.count() >= 2, "suggestions")
    said = visitor.page.locator(".find [role=status]").inner_text()
    assert said == "1 suggestion"
    assert field.get_attribute("aria-expanded") == "true"
    assert violations(visitor) == []
    field.press("ArrowDown")
    chosen = field.get_attribute("aria-activedescendant")
    assert visitor.page.locator(f"#{chosen}").get_attribute("aria-selected") == "true"
    field.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"
    assert field.input_value() == "glas"

    field.press("k")
    field.press("Backspace")
    visitor.until(lambda: field.get_attribute("aria-expanded") == "true", "again")
    field.press("ArrowDown")
    field.press("Enter")
    visitor.until(lambda: "/title/" in visitor.page.url, "the page of the title")
    heading = visitor.page.get_by_role("heading", level=1)
    assert heading.inner_text() == "The Glass Orchard"


def test_enter_alone_leads_to_the_page_of_the_search_and_misspelt_words_are_put_right(
    visit: Visit,
) -> None:
    visitor = visit()
    visitor.go("/")
    field = visitor.page.locator("#find")

    field.press_sequentially("glas orchrad")
    found = visitor.page.locator(".found")
    visitor.until(lambda: "Did you mean" in found.inner_text(), "a guess")
    field.press("Enter")

    visitor.until(lambda: "/search?q=" in visitor.page.url, "the page of the search")
    assert "glass orchard" in visitor.page.locator(".guess").inner_text()
    visitor.go("/search?q=zzzz")
    assert visitor.page.get_by_role("link", name="Browse the library").count() == 1


def test_what_is_said_opens_at_its_second(visit: Visit, portal: LivePortal) -> None:
    visitor = visit()
    visitor.go("/search?q=hello")

    link = visitor.page.locator(".lines a").first

    assert (link.get_attribute("href") or "").endswith("?from=1")


@pytest.mark.parametrize(("width", "height"), _SIZES)
def test_the_page_is_quick_and_does_not_jump(
    visit: Visit, width: int, height: int
) -> None:
    """With a wide margin: what else runs on this machine is not measured.

    What a page has to wait for is counted instead, whichever machine it is.
    """
    visitor = visit(width=width, height=height, reduced_motion="reduce")
    visitor.page.add_init_script(_WATCH_PAINT)
    answer = visitor.go("/?tv=1" if width > 1900 else "/")

    assert len(answer.body()) < 60_000
    painted = visitor.until(
        lambda: visitor.page.evaluate("() => window.painted"), "the largest paint"
    )
    waited_for = visitor.page.evaluate(_BLOCKING)
    assert len(waited_for) <= _MOST_BLOCKING, waited_for
    assert sum(each["bytes"] for each in waited_for) < _MOST_BLOCKING_BYTES
    assert visitor.page.evaluate(_LARGEST) == {"placed": True, "wanted": True}
    visitor.page.mouse.wheel(0, 2000)
    visitor.page.wait_for_timeout(300)
    assert painted < _MOST_MILLISECONDS
    assert visitor.page.evaluate("() => window.shifted") < _MOST_SHIFT


def test_scripts_are_few_before_the_player_is_wanted(visit: Visit) -> None:
    visitor = visit()
    sizes: list[int] = []
    visitor.page.on(
        "response",
        lambda answer: (
            sizes.append(_squeezed(answer.body()))
            if answer.request.resource_type == "script"
            else None
        ),
    )

    visitor.go("/")
    visitor.page.wait_for_load_state("networkidle")

    assert 0 < sum(sizes) < _MOST_SCRIPT


def test_a_title_is_put_on_the_list_and_rated(visit: Visit, portal: LivePortal) -> None:
    slug = portal.db.value("select slug from titles where name like '%Harbour'")
    visitor = visit(Role.ADMINISTRATOR)
    visitor.go(f"/title/{slug}")
    mine = visitor.page.get_by_role("button", name="My list", exact=True)
    love = visitor.page.get_by_role("button", name="I love it")

    mine.click()
    visitor.until(lambda: mine.get_attribute("aria-pressed") == "true", "on the list")
    love.click()
    visitor.until(lambda: _thumb(portal) == 2, "the thumb is kept")
    visitor.go("/my-list")
    assert visitor.page.locator(".card .name").all_inner_texts() == [
        "The Quiet Harbour"
    ]
    assert violations(visitor) == []
    visitor.go("/")
    assert visitor.page.locator("[data-row=list] .card").count() == 1

    visitor.go(f"/title/{slug}")
    mine.click()
    visitor.page.get_by_role("button", name="Undo").wait_for()
    visitor.until(lambda: _listed(portal) == 0, "off the list")


def test_rows_below_come_as_they_are_needed_and_have_a_page_without_scripts(
    visit: Visit, portal: LivePortal
) -> None:
    found = portal.db.rows("select slug from titles where state = 'published'")
    slugs = [each["slug"] for each in found]
    rows = [
        arranging.add(portal.db, SYSTEM, "chosen", f"Row {number}", titles=slugs)
        for number in range(10)
    ]
    try:
        _below(visit)
    finally:
        for row in rows:
            arranging.remove(portal.db, SYSTEM, row.public_id)


def _below(visit: Visit) -> None:
    visitor = visit(height=700)
    answer = visitor.go("/")
    assert len(answer.body()) < 60_000
    waiting = visitor.page.locator("[data-later]")
    count = waiting.count()
    assert count
    waiting.last.scroll_into_view_if_needed()
    visitor.until(lambda: waiting.count() < count, "a row comes")

    plain = visit(height=700, java_script_enabled=False)
    plain.page.goto(plain.home)
    plain.page.locator("[data-later]").first.get_by_role("link").click()
    assert plain.page.locator(".card").count() >= 2


def test_filters_are_set_and_taken_away_without_scripts(visit: Visit) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.page.goto(f"{visitor.home}/browse")
    visitor.page.get_by_text("Filters", exact=True).click()
    visitor.page.get_by_label("Genre").select_option("drama")
    visitor.page.get_by_role("button", name="Show").click()

    assert "genre=drama" in visitor.page.url
    count = visitor.page.locator(".card").count()
    visitor.page.get_by_role("link", name="Drama remove this filter").click()
    assert visitor.page.locator(".card").count() > count


def test_a_clip_plays_while_the_pointer_rests_and_never_for_those_who_want_none(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    asset = assets.playable(portal.db, film.id)
    assert asset is not None
    source = portal.storage.existing(asset.source_path)
    portal.storage.write(assets.preview_place(asset.public_id), source.read_bytes())
    assets.previewed(portal.db, asset.id, "probe")
    with write(portal.db):
        portal.db.conn.execute("update library_version set version = version + 1")
    for motion in ("no-preference", "reduce"):
        visitor = visit(reduced_motion=motion)
        asked: list[str] = []
        visitor.page.on("request", partial(_note, asked))
        visitor.go("/new")
        visitor.page.locator(f".card[href='/title/{film.slug}']").hover()
        if motion == "reduce":
            visitor.page.wait_for_timeout(1500)
            assert not _clips(asked)
            continue
        visitor.until(partial(_clips, asked), "the clip is fetched")
        visitor.page.mouse.move(0, 0)
        visitor.until(partial(_none, visitor.page.locator("video.clip")), "it goes")


@pytest.mark.parametrize(
    ("role", "path"),
    [
        (Role.VIEWER, "/browse"),
        (Role.VIEWER, "/browse?genre=drama&sort=random"),
        (Role.VIEWER, "/my-list"),
        (Role.VIEWER, "/collection/quiet-evenings"),
        (Role.VIEWER, "/search?q=hello"),
        (Role.VIEWER, "/search?q=glas+orchrad"),
        (Role.ADMINISTRATOR, "/studio/rows"),
        (Role.ADMINISTRATOR, "/studio/rows/hero"),
        (Role.ADMINISTRATOR, "/studio/rows/preview?screen=phone&kids=1"),
        (Role.ADMINISTRATOR, "/studio/collections"),
        (Role.ADMINISTRATOR, "/studio/collections/quiet-evenings"),
    ],
)
def test_a_page_has_no_violation_and_fits_every_screen(
    visit: Visit, role: Role, path: str
) -> None:
    visitor = visit(role, reduced_motion="reduce")
    if "random" in path:
        visitor.tolerated.append("400")
    visitor.go(path)

    for width, height in ((320, 640), *_SIZES):
        visitor.page.set_viewport_size({"width": width, "height": height})
        wider = "() => document.documentElement.scrollWidth - innerWidth"
        assert visitor.page.evaluate(wider) <= 0, f"{width} px"
    assert violations(visitor) == []


def _note(asked: list[str], request: Request) -> None:
    asked.append(request.url)


def _clips(asked: list[str]) -> list[str]:
    return [each for each in asked if "/preview/" in each]


def _none(found: Locator) -> bool:
    return found.count() == 0


def _squeezed(body: bytes) -> int:
    return len(gzip.compress(body))


def _thumb(portal: LivePortal) -> Any:
    return portal.db.value("select value from thumbs order by at desc limit 1")


def _listed(portal: LivePortal) -> int:
    return int(portal.db.value("select count(*) from my_list"))


# What is painted first waits for these, whatever the network is like.
_BLOCKING = """() => performance.getEntriesByType("resource")
    .filter((each) => each.renderBlockingStatus === "blocking")
    .map((each) => ({ name: each.name, bytes: each.encodedBodySize }))"""
# The largest picture has its place before it comes, and comes before the others.
_LARGEST = """() => {
    const hero = document.querySelector(".hero img");
    return {
        placed: Boolean(hero.width && hero.height),
        wanted: hero.fetchPriority === "high" && hero.loading !== "lazy",
    };
}"""
_WATCH_PAINT = """
window.painted = 0;
window.shifted = 0;
new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.painted = each.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
    for (const each of list.getEntries())
        if (!each.hadRecentInput) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: true });
"""
