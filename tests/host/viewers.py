"""People in the portal of an appliance, with a browser on the lab's network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from tests.browser.visitor import Visitor
from tests.browser.watching import after, requested, state
from tests.host.installed import ADMINISTRATOR, CERTIFICATE, PASSWORD, Appliance
from tests.host.lab import Box
from tests.host.lab.browsing import browser_in

PATIENCE_MS = 240_000


@contextmanager
def administrator(
    appliance: Appliance, chromium: Browser, *edges: Box
) -> Iterator[Visitor]:
    """Sign the administrator in; what goes wrong on a page fails the test.

    Films may come from edges too.
    """
    boxes = (appliance.box, *edges)
    hosts = {f"{each.name}.test": each.address for each in boxes}
    certificates = [each.run("cat", CERTIFICATE).stdout for each in boxes]
    with browser_in(appliance.net, chromium, hosts, certificates) as browser:
        # What a worker fetches for a page, a test could not see.
        page = browser.new_context(service_workers="block").new_page()
        others = tuple(f"https://{each}" for each in hosts)
        visitor = Visitor(page, appliance.url, others=others)
        sign_in(visitor)
        yield visitor
        assert visitor.problems == []


def sign_in(visitor: Visitor) -> None:
    visitor.go("/login")
    visitor.page.get_by_label("User name").fill(ADMINISTRATOR)
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.page.get_by_role("button", name="Sign in").click()
    expect(visitor.page.get_by_role("link", name="Studio").first).to_be_visible()


def upload(visitor: Visitor, film: Path) -> None:
    """Upload a film in the Studio, and wait until it is made and published."""
    page = visitor.page
    visitor.go("/studio/upload")
    page.get_by_label("Choose films").set_input_files(film)
    card = page.get_by_role("article")
    card.get_by_label("Publish as soon as it is ready").check()
    page.get_by_role("link", name="Show the title").click(timeout=PATIENCE_MS)
    expect(page.get_by_role("link", name="In the portal")).to_be_visible(
        timeout=PATIENCE_MS
    )


def watch(visitor: Visitor, slug: str, *, seconds: float = 1) -> dict[str, Any]:
    """Open a film and wait until it has played for so long; return its state."""
    visitor.go(f"/watch/{slug}")
    found: dict[str, Any] = visitor.until(lambda: after(visitor, seconds), "it plays")
    assert found["frames"] > 0
    return found


def frames(visitor: Visitor) -> int:
    """Return how many pictures were decoded so far."""
    return int(state(visitor)["frames"])


def segments(visitor: Visitor) -> list[str]:
    """Return the addresses of what was fetched of a film."""
    return requested(visitor, r"/media/.*\.(m4s|mp4)")


def first_title(appliance: Appliance) -> str:
    """Return the slug of the only film there is."""
    [title] = appliance.ask("title", "list")
    return str(title["slug"])
