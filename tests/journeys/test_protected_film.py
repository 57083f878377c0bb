"""A protected film: from the upload to a viewer, through new keys, to being stopped.

Real processes, a real film, a real browser; nothing is prepared behind their backs.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect

from tests import media_samples
from tests.browser.visitor import Visitor
from tests.browser.watching import after, said, state
from tests.pipeline.served_home import MATINEE, ServedHome, served_home

pytestmark = [pytest.mark.browser, pytest.mark.media]

SECONDS = 40
PASSWORD = "correct horse battery staple"
PATIENCE_MS = 240_000


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedHome]:
    with served_home(
        tmp_path / "home",
        MATINEE_PROTECTION_PROTECT_NEW="true",
        MATINEE_PLAYBACK_HEARTBEAT_SECONDS="2",
        MATINEE_PLAYBACK_WATERMARK="protected",
        MATINEE_ENCODE_PRESET="ultrafast",
        MATINEE_WEB_THREADS="4",
    ) as served:
        yield served


@pytest.fixture
def both(chromium: Browser, served: ServedHome) -> Iterator[tuple[Visitor, Visitor]]:
    """An administrator and a viewer; what goes wrong on their pages fails the test."""
    link = json.loads(_matinee(served, "--json", "init", "--yes"))["setup"]
    served.start()
    contexts = [chromium.new_context() for _ in range(2)]
    people = [Visitor(each.new_page(), served.url) for each in contexts]
    people[0].go(link[link.index("/setup") :])
    yield people[0], people[1]
    for context in contexts:
        context.close()
    assert [problem for each in people for problem in each.problems] == []


def test_a_film_is_protected_watched_rekeyed_and_stopped(
    served: ServedHome, both: tuple[Visitor, Visitor], tmp_path: Path
) -> None:
    administrator, viewer = both
    _set_up(administrator)
    film = media_samples.film(
        tmp_path, "Locked.mp4", seconds=SECONDS, size="1280x720", picture="testsrc2"
    )
    _upload(administrator, film)
    _matinee(served, "user", "add", "vera", "--password-stdin", words=PASSWORD)
    first = _keys(served)
    assert {each["label"] for each in first} == {"AUDIO", "SD", "HD"}

    asked = _watch(viewer)
    assert len([each for each in asked if each.url.endswith("/licence/clearkey")]) == 1
    assert "vera" in viewer.page.locator(".watermark").inner_text()

    _give_new_keys(administrator)
    _goes_on_with_new_keys(viewer, asked)
    assert {each["kid"] for each in _keys(served)}.isdisjoint(
        each["kid"] for each in first
    )

    _stop(administrator)
    assert "Whoever runs this service has ended it" in said(viewer)


def _set_up(administrator: Visitor) -> None:
    page = administrator.page
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("link", name="Studio").first).to_be_visible()


def _upload(administrator: Visitor, film: Path) -> None:
    page = administrator.page
    administrator.go("/studio/upload")
    page.get_by_label("Choose films").set_input_files(film)
    card = page.get_by_role("article")
    expect(card.get_by_label("Protect this film")).to_be_checked()
    card.get_by_label("Publish as soon as it is ready").check()
    page.get_by_role("link", name="Show the title").click(timeout=PATIENCE_MS)
    expect(page.locator("main")).to_contain_text("Stored encrypted, by cbcs")
    expect(page.get_by_role("link", name="In the portal")).to_be_visible()


def _watch(viewer: Visitor) -> list[Request]:
    page = viewer.page
    viewer.go("/")
    page.get_by_label("User name").fill("vera")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="More").first.click()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.get_by_role("link", name="Play").first.click()
    viewer.until(lambda: page.locator("video").count() and after(viewer, 1), "it plays")
    page.keyboard.press("k")
    return asked


def _give_new_keys(administrator: Visitor) -> None:
    page = administrator.page
    page.get_by_role("link", name="New keys").click()
    page.get_by_role("button", name="New keys").click()
    expect(page.locator("main")).to_contain_text(re.compile("Running|Queued|Packaging"))
    page.get_by_role("link", name="Show the title").click(timeout=PATIENCE_MS)
    expect(page.locator("main")).to_contain_text("Stored encrypted, by cbcs")


def _goes_on_with_new_keys(viewer: Visitor, asked: list[Request]) -> None:
    """The page loads the film again by itself; it stays paused, at its place."""
    place = state(viewer)["time"]

    def licences() -> int:
        return sum(each.url.endswith("/licence/clearkey") for each in asked)

    viewer.until(lambda: licences() == 2, "a licence for the new keys")
    viewer.page.keyboard.press("k")
    viewer.until(lambda: after(viewer, place + 1), "it goes on")
    assert state(viewer)["time"] < place + 10
    assert not viewer.page.get_by_role("alert").is_visible()


def _stop(administrator: Visitor) -> None:
    page = administrator.page
    administrator.go("/studio/playing")
    page.get_by_role("link", name="Stop").first.click()
    page.get_by_role("button", name="Stop playback").click()


def _keys(served: ServedHome) -> list[dict[str, str]]:
    listed = json.loads(_matinee(served, "--json", "key", "list"))
    return [each for each in listed if each["state"] == "live"]


def _matinee(served: ServedHome, *args: str, words: str = "") -> str:
    done = subprocess.run(
        [MATINEE, *args],
        input=words,
        env=dict(served.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
