"""The portal as an app: it can be installed, opens without a network, keeps nothing."""

import json

import pytest

from appliance.permissions import Role
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

_KEPT = """async () => {
    const kept = [];
    for (const name of await caches.keys()) {
        const shell = await caches.open(name);
        for (const key of await shell.keys()) kept.push(new URL(key.url).pathname);
    }
    return kept;
}"""


def _with_worker(visit: Visit) -> Visitor:
    """Open the home page, and wait until the worker serves it."""
    visitor = visit(Role.VIEWER, 390, 844, service_workers="allow")
    visitor.go("/")
    visitor.until(
        lambda: visitor.page.evaluate(
            "() => navigator.serviceWorker.controller !== null"
        ),
        "the worker serves this page",
    )
    return visitor


def test_a_browser_finds_all_it_needs_to_install_the_portal(visit: Visit) -> None:
    visitor = visit(Role.VIEWER)
    visitor.go("/")
    address = visitor.page.locator("link[rel=manifest]").get_attribute("href")
    answer = visitor.page.request.get(f"{visitor.home}{address}")
    manifest = json.loads(answer.text())

    assert answer.headers["content-type"] == "application/manifest+json"
    assert manifest["name"] == "Matinee"
    assert (manifest["display"], manifest["start_url"]) == ("standalone", "/")
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        drawn = visitor.page.evaluate(
            """async (address) => {
                const image = new Image();
                image.src = address;
                await image.decode();
                return `${image.naturalWidth}x${image.naturalHeight}`;
            }""",
            icon["src"],
        )
        assert drawn == icon["sizes"]


def test_without_a_network_a_page_says_so(visit: Visit) -> None:
    visitor = _with_worker(visit)
    visitor.page.context.set_offline(True)
    visitor.tolerated.append("ERR_INTERNET_DISCONNECTED")

    visitor.page.goto(f"{visitor.home}/search?q=the")

    heading = visitor.page.get_by_role("heading", name="No connection")
    heading.wait_for()
    font = "() => getComputedStyle(document.querySelector('h1')).fontFamily"
    assert "Inter" in visitor.page.evaluate(font)
    visitor.page.context.set_offline(False)
    visitor.page.get_by_role("link", name="Try again").click()
    visitor.page.wait_for_url(f"{visitor.home}/")


def test_nothing_of_a_viewer_is_kept(visit: Visit, slug: str) -> None:
    visitor = _with_worker(visit)
    for path in (f"/title/{slug}", f"/watch/{slug}", "/account", "/"):
        visitor.go(path)

    kept = visitor.page.evaluate(_KEPT)

    assert "/offline" in kept
    assert any(path.endswith(".css") for path in kept)
    assert [path for path in kept if not path.startswith("/static/")] == ["/offline"]
