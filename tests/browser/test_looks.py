"""How pages look, held against pictures that somebody looked at.

`make looks` takes the pictures anew: look at what changed before it is committed.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import evening, pictures
from tests.browser.live_portal import LivePortal
from tests.browser.pictures import SIZES, Opened

pytestmark = pytest.mark.browser

_VIEWER, _MANAGER, _FAMILY = "the-viewer", "the-administrator", "the-family"
# Who opens what; after a stroke stands the profile that watches.
_PAGES: dict[str, tuple[str | None, str]] = {
    "sign-in": (None, "/login"),
    "home": (_VIEWER, "/"),
    "title": (_VIEWER, "/title/{film}"),
    "series": (_VIEWER, "/title/{series}"),
    "search": (_VIEWER, "/search?q=the"),
    "nothing-found": (_VIEWER, "/search?q=zzz"),
    "genre": (_VIEWER, "/genre/drama"),
    "browse": (_VIEWER, "/browse?genre=drama&sort=name"),
    "collection": (_VIEWER, "/collection/quiet-evenings"),
    "person": (_VIEWER, "/person/ines-faro"),
    "kids": (f"{_FAMILY}/Kids", "/"),
    "profiles": (_FAMILY, "/profiles"),
    "manage-profile": (f"{_FAMILY}/Family", "/profiles/{kids}"),
    "pin": (_FAMILY, "/profiles/{locked}/open"),
    "history": (_VIEWER, "/history"),
    "preferences": (_VIEWER, "/preferences"),
    "imprint": (_VIEWER, "/imprint"),
    "missing": (_VIEWER, "/nowhere"),
    "studio": (_MANAGER, "/studio/"),
    "studio-upload": (_MANAGER, "/studio/upload"),
    "studio-import": (_MANAGER, "/studio/import/{table}"),
    "studio-title": (_MANAGER, "/studio/titles/{film}"),
    "studio-seasons": (_MANAGER, "/studio/titles/{series}/seasons"),
    "studio-artwork": (_MANAGER, "/studio/titles/{film}/artwork"),
    "studio-timeline": (_MANAGER, "/studio/availability"),
    "studio-rows": (_MANAGER, "/studio/rows"),
    "studio-jobs": (_MANAGER, "/studio/jobs"),
    "studio-storage": (_MANAGER, "/studio/storage"),
    "studio-announcements": (_MANAGER, "/studio/announcements"),
    "studio-webhooks": (_MANAGER, "/studio/webhooks"),
    "studio-mail": (_MANAGER, "/studio/mail"),
    "studio-tokens": (_MANAGER, "/studio/tokens"),
    "studio-audit": (_MANAGER, "/studio/audit?until=2026-02-03"),
    "studio-accounts": (_MANAGER, "/studio/accounts"),
    "studio-brand": (_MANAGER, "/studio/brand"),
}
# What in a page has a name of chance.
_CHANCE = {"studio-audit": "[data-l=Subject] code, .data dd"}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    """A portal whose clock stands still, with the same catalogue every time."""
    folders = map(tmp_path_factory.mktemp, ("evening", "pictures"))
    with evening.begun(*folders) as portal:
        yield portal


@pytest.fixture
def opened(portal: LivePortal, chromium: Browser) -> Iterator[Opened]:
    """``opened(name, size, theme)`` opens a page as whoever it is for."""

    def open_page(name: str, *args: str, **more: str) -> Page:
        who, path = _PAGES[name]
        return open_path(who, path.format(**evening.slugs(portal)), *args, **more)

    with pictures.opening(portal, chromium) as open_path:
        yield open_page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", _PAGES)
def test_a_page_looks_as_it_did(opened: Opened, name: str, size: str) -> None:
    pictures.compare(opened(name, size), f"{name}-{size}", _CHANCE.get(name, ""))


@pytest.mark.parametrize("name", ["home", "title", "studio"])
def test_a_page_looks_as_it_did_in_the_light(opened: Opened, name: str) -> None:
    pictures.compare(opened(name, "laptop", theme="light"), f"{name}-light")


@pytest.mark.parametrize("name", ["home", "title", "search", "profiles", "pin"])
def test_a_page_looks_as_it_did_from_the_sofa(opened: Opened, name: str) -> None:
    pictures.compare(opened(name, "television", query="?tv=1"), f"{name}-sofa")


@pytest.mark.parametrize("size", SIZES)
def test_a_page_looks_as_it_did_from_right_to_left(opened: Opened, size: str) -> None:
    pictures.compare(opened("home", size, locale="ar"), f"home-arabic-{size}")


@pytest.mark.parametrize("size", SIZES)
def test_the_search_looks_as_it_did_while_somebody_types(
    opened: Opened, size: str
) -> None:
    page = opened("search", size)
    field = page.locator(".find:visible input").last
    field.fill("")
    field.press_sequentially("harb")
    page.get_by_role("option").first.wait_for()
    pictures.compare(page, f"suggestions-{size}")


@pytest.mark.parametrize("size", SIZES)
def test_the_effect_of_changing_many_titles_looks_as_it_did(
    opened: Opened, size: str
) -> None:
    page = opened("studio", size)
    for name in ("Café Müller", "Night Train North", "Salt and Iron"):
        page.get_by_role("checkbox", name=f"Choose {name}").check(force=True)
    page.locator("details.bulk[open]").wait_for()
    page.get_by_label("Move").select_option("archive")
    page.get_by_label("Add genres").fill("Sea, Drama")
    page.get_by_role("button", name="Show the effect").click()
    page.get_by_role("heading", name="The effect").wait_for()
    pictures.compare(page, f"studio-bulk-{size}")
