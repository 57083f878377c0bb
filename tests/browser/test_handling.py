"""Many titles in the Studio: sifted, changed, imported, as somebody sees it."""

from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Route

from appliance.access import availability
from appliance.accounts import groups
from appliance.catalog import (
    bulk,
    custom_fields,
    imports,
    reviewing,
    titles,
    trash,
)
from appliance.catalog.bulk_words import Wish
from appliance.media import publishing
from appliance.permissions import SYSTEM, Role
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

_SIZES = {"phone": (390, 844), "laptop": (1440, 900), "television": (1920, 1080)}
_TABLE = "external_id;name;year\nb1;Imported once;2020\nb2;;next\nb3;Another;2021\n"


@pytest.fixture(scope="module")
def handled(portal: LivePortal) -> dict[str, str]:
    """One of everything that the pages of many titles show; where to find it."""
    return seed(portal)


def seed(portal: LivePortal) -> dict[str, str]:
    """Fill the portal; return the slugs and ids that pages are named by."""
    db, make, settings = portal.db, portal.make, portal.settings
    asked = make.title("Waits for a review", state="ready", synopsis="Soon.")
    make.asset(asked, source_sha256="5a")
    twin = make.title("The same film again", state="ready")
    make.asset(twin, source_sha256="5a")
    reviewing.ask(db, SYSTEM, asked.slug, "Please look at the synopsis.")
    shown = make.title("Shown in spring")
    groups.add(db, SYSTEM, "Apprentices")
    at = db.now()[:4]
    availability.add(
        *(db, SYSTEM, shown.slug),
        starts_at=db.now(days=-20),
        ends_at=db.now(days=12),
        territories=("DE", "AT"),
        max_height=720,
    )
    availability.add(
        *(db, SYSTEM, shown.slug), starts_at=db.now(days=40), group="Apprentices"
    )
    ahead = make.title(f"Planned for after {at}")
    availability.add(db, SYSTEM, ahead.slug, starts_at=db.now(days=60))
    if not custom_fields.listing(db):
        custom_fields.define(db, SYSTEM, "Order number", "text")
        custom_fields.define(
            db, SYSTEM, "Department", "choice", choices=["Sales", "Lab"]
        )
    gone = make.title("Thrown away")
    make.asset(gone)
    trash.discard(db, SYSTEM, gone.slug)
    wish = Wish.read({"add_tags": "winter"})
    bulk.apply(db, settings, SYSTEM, [twin.id], wish, publishing.publish)
    return {"asked": asked.slug, "shown": shown.slug, "gone": gone.slug}


def test_the_pages_have_no_violation_and_fit_every_screen(
    visit: Visit, handled: dict[str, str]
) -> None:
    visitor = visit(Role.ADMINISTRATOR, reduced_motion="reduce")
    for path in pages(handled):
        visitor.go(path)
        for name, (width, height) in _SIZES.items():
            visitor.page.set_viewport_size({"width": width, "height": height})
            assert _sideways(visitor) <= 0, f"{path} scrolls sideways on a {name}"
            assert violations(visitor) == [], f"{path} on a {name}"


def pages(handled: dict[str, str]) -> tuple[str, ...]:
    return (
        "/studio/",
        "/studio/?lacks=synopsis&genre=drama&order=name",
        "/studio/?q=nothing+like+that",
        "/studio/bulk",
        f"/studio/titles/{handled['asked']}/history",
        f"/studio/titles/{handled['shown']}/windows",
        "/studio/availability",
        "/studio/trash",
        f"/studio/trash/{handled['gone']}/remove",
        "/studio/fields",
        "/studio/fields/order_number/remove",
        "/studio/import",
    )


def test_titles_are_ticked_changed_and_put_back(
    visit: Visit, portal: LivePortal, handled: dict[str, str]
) -> None:
    visitor = visit(Role.PUBLISHER)
    page = visitor.page
    visitor.go("/studio/?q=orchard")
    page.get_by_label("Choose all on this page").check()
    page.get_by_text("1 ✓").wait_for()
    page.get_by_label("Add genres").fill("Mystery, Bees")
    page.get_by_label("Rating", exact=True).fill("16")
    page.get_by_role("button", name="Show the effect first").click()

    page.get_by_role("heading", name="The effect").wait_for()
    assert page.get_by_role("cell", name="Drama, Mystery, Bees").is_visible()
    page.get_by_role("button", name="Change 1 title").click()
    page.get_by_text("1 title is changed.").wait_for()
    changed = titles.search(portal.db, SYSTEM, "orchard")[0]
    assert (changed.rating, "Bees" in changed.genres) == ("16", True)

    page.get_by_role("button", name="Undo").first.click()
    page.get_by_role("heading", name="1 title is as it was").wait_for()
    back = titles.search(portal.db, SYSTEM, "orchard")[0]
    assert (back.rating, back.genres) == ("12", ("Drama", "Mystery"))


def test_what_was_typed_is_kept_when_nothing_was_ticked(
    visit: Visit, handled: dict[str, str]
) -> None:
    visitor = visit(Role.PUBLISHER)
    visitor.tolerated.append("400 (BAD REQUEST)")
    page = visitor.page
    visitor.go("/studio/")
    page.get_by_text("Change many at once").click()
    page.get_by_label("Add tags").fill("<b>summer</b>")
    page.get_by_role("button", name="Show the effect first").click()

    page.get_by_text("Choose at least one title.").wait_for()
    assert page.get_by_label("Add tags").input_value() == "<b>summer</b>"


def test_a_table_is_looked_at_and_imported(
    visit: Visit, portal: LivePortal, tmp_path: Path
) -> None:
    visitor = visit(Role.PUBLISHER)
    page = visitor.page
    table = tmp_path / "films.csv"
    table.write_text(_TABLE, encoding="utf-8-sig")
    visitor.go("/studio/import")
    page.get_by_label("Table").set_input_files(table)
    page.get_by_role("button", name="Show what it would do").click()

    page.get_by_text("Give the title a name.").wait_for()
    assert violations(visitor) == []
    page.get_by_role("button", name="Import 2 of 3 rows").click()
    page.get_by_text("2 titles are new, 0 are changed.").wait_for()
    assert violations(visitor) == []
    assert titles.search(portal.db, SYSTEM, "imported once")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Result of each row").click()
    assert "refused" in waiting.value.path().read_text()
    portal.db.conn.execute("delete from titles where external_id like 'b_'")
    assert imports.listing(portal.db, SYSTEM) == []


def test_a_window_is_added_seen_on_the_timeline_and_removed(
    visit: Visit, portal: LivePortal
) -> None:
    visitor = visit(Role.PUBLISHER)
    title = portal.make.title("Only in autumn")
    page = visitor.page
    visitor.go(f"/studio/titles/{title.slug}/windows")
    page.get_by_label("From").fill(portal.db.now(days=3)[:16])
    page.get_by_label("Until").fill(portal.db.now(days=9)[:16])
    page.get_by_label("Countries").fill("de")
    page.get_by_role("button", name="Add it").click()
    page.get_by_text("The window is open as you say.").wait_for()
    page.get_by_text("Scheduled").first.wait_for()

    visitor.go("/studio/availability")
    row = page.get_by_role("row").filter(has_text="Only in autumn")
    assert "Germany" in row.inner_text()
    row.get_by_role("link").click()
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("The window is removed.").wait_for()
    assert availability.listing(portal.db, title.slug) == []


def test_a_title_goes_into_the_trash_and_comes_back(
    visit: Visit, portal: LivePortal
) -> None:
    visitor = visit(Role.PUBLISHER)
    title = portal.make.title("Regretted at once")
    page = visitor.page
    visitor.go(f"/studio/titles/{title.slug}/remove")
    page.get_by_role("button", name="Put it into the trash").click()
    page.get_by_text("is in the trash.").wait_for()

    visitor.go("/studio/trash")
    page.get_by_role("button", name="Take back Regretted at once").click()
    page.get_by_text("is back.").wait_for()
    assert titles.by_slug(portal.db, SYSTEM, title.slug).state == "ready"


def test_episodes_are_known_by_their_file_names_and_made_when_somebody_says_so(
    visit: Visit, portal: LivePortal, tmp_path: Path
) -> None:
    visitor = visit(Role.PUBLISHER)
    page = visitor.page
    files = []
    for name in ("Lagoon.S01E01.The.Tide.mp4", "Lagoon S01E02.mp4", "Picnic 2020.mp4"):
        files.append(tmp_path / name)
        files[-1].write_bytes(b"no film at all")
    visitor.go("/studio/upload")
    page.get_by_label("Choose films").set_input_files(files)

    page.get_by_role("heading", name="Is this right?").wait_for()
    assert titles.search(portal.db, SYSTEM, "lagoon") == []
    for width, height in _SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        assert _sideways(visitor) <= 0
        assert violations(visitor) == []
    page.get_by_label("Name · Lagoon S01E02.mp4").fill("The Ebb")
    page.get_by_role("button", name="Upload 3 films").click()

    page.get_by_role("heading", name="Picnic 2020.mp4").wait_for()
    made = {each.name: each for each in titles.search(portal.db, SYSTEM, "lagoon")}
    series = made["Lagoon"]
    parts = titles.children(portal.db, SYSTEM, series)
    assert [(each.name, each.episode_number) for each in parts] == [
        ("The Tide", 1),
        ("The Ebb", 2),
    ]
    (picnic,) = titles.search(portal.db, SYSTEM, "picnic")
    assert (picnic.kind, picnic.year) == ("film", 2020)


def _sideways(visitor: Visitor) -> int:
    script = "() => document.documentElement.scrollWidth - innerWidth"
    return int(visitor.page.evaluate(script))


def test_a_form_that_is_sent_twice_at_once_counts_once(
    visit: Visit, portal: LivePortal
) -> None:
    visitor = visit(Role.ADMINISTRATOR)
    visitor.go("/studio/groups")
    held: list[Route] = []
    visitor.page.route(
        "**/studio/groups",
        lambda each: held.append(each) if each.request.method == "POST" else None,
    )
    visitor.page.get_by_label("Name of a new group").fill("Night shift")
    box = visitor.page.locator("form[action$='/groups'] button").bounding_box()
    assert box is not None
    press = partial(visitor.page.mouse.click, box["x"] + 9, box["y"] + 9)

    press()
    visitor.until(lambda: held, "it is on its way")
    press()
    visitor.page.mouse.move(0, 0)
    for each in held:
        each.continue_()

    visitor.until(
        lambda: visitor.page.get_by_text("Night shift").count() > 0, "it is there"
    )
    assert len(held) == 1
    assert not visitor.page.get_by_text("already").count()
