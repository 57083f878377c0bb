"""The first film: from an empty machine to a picture that somebody sees.

Real processes, a real film, a real browser; nothing is prepared behind their backs.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.visitor import Visitor
from tests.pipeline.served_home import MATINEE, ServedHome, served_home

pytestmark = [pytest.mark.browser, pytest.mark.media]

FILM = Path(__file__).parents[2] / "var" / "films" / "big-buck-bunny.mp4"
SECONDS = 40
CHUNK = 1024 * 1024
PASSWORD = "correct horse battery staple"
# Encoding on a machine that does other things as well.
PATIENCE_MS = 240_000


@dataclass
class Person:
    """Somebody with a browser of their own."""

    visitor: Visitor

    @property
    def page(self) -> Page:
        return self.visitor.page


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Forty seconds of a real film, with natural motion and sound."""
    target = tmp_path / "Big Buck Bunny.mp4"
    cut = ("-ss", "60", "-i", str(FILM), "-t", str(SECONDS))
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "24", "-c:a", "copy")
    subprocess.run(["ffmpeg", "-v", "error", *cut, *coded, str(target)], check=True)
    assert target.stat().st_size > 3 * CHUNK
    return target


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedHome]:
    with served_home(tmp_path / "home", MATINEE_UPLOADS_CHUNK_MEGABYTES="1") as served:
        yield served


@pytest.fixture
def people(chromium: Browser, served: ServedHome) -> Iterator[list[Person]]:
    """An administrator and a viewer; what goes wrong on their pages fails the test."""
    link = json.loads(_matinee(served, "--json", "init", "--yes"))["setup"]
    served.start()
    contexts = [
        chromium.new_context(viewport={"width": 1280, "height": 800}) for _ in range(2)
    ]
    both = [Person(Visitor(each.new_page(), served.url)) for each in contexts]
    for person in both:
        person.page.on("dialog", lambda dialog: dialog.accept())
    both[0].visitor.go(link[link.index("/setup") :])
    yield both
    for context in contexts:
        context.close()
    assert [problem for each in both for problem in each.visitor.problems] == []


def test_a_film_is_uploaded_processed_published_and_seen(
    served: ServedHome, people: list[Person], film: Path
) -> None:
    administrator, viewer = people
    _set_up(administrator.page)
    _upload_with_an_interruption(administrator.visitor, film)
    _watch_the_progress_and_publish(administrator.visitor)
    _matinee(served, "user", "add", "vera", "--password-stdin", words=PASSWORD)

    _sign_in(viewer.visitor)
    _find_and_play(viewer.visitor)
    _seek_by_the_storyboard(viewer.visitor)
    _resume_after_a_reload(viewer.visitor)
    _plays(viewer.visitor, "/watch/big-buck-bunny?format=hls&from=4", "m3u8")
    _is_closed_to_strangers(viewer.visitor)


def _set_up(page: Page) -> None:
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("link", name="Studio").first).to_be_visible()


def _upload_with_an_interruption(visitor: Visitor, film: Path) -> None:
    page = visitor.page
    visitor.go("/studio/upload")
    wire = page.context.new_cdp_session(page)
    _limit(wire, CHUNK)
    with page.expect_request(
        lambda request: request.headers.get("upload-offset") == str(2 * CHUNK)
    ):
        page.get_by_label("Choose films").set_input_files(film)
    page.reload()
    card = page.get_by_role("article")
    expect(card).to_contain_text("Interrupted")
    _limit(wire, -1)
    card.get_by_label("Choose the file again").set_input_files(film)
    expect(card).to_contain_text("Processing", timeout=60_000)


def _watch_the_progress_and_publish(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("/studio/")
    page.get_by_role("link", name="Big Buck Bunny").first.click()
    rendition = page.get_by_text("720p").first
    expect(rendition).to_be_visible(timeout=60_000)
    expect(page.locator("main")).to_contain_text(re.compile(r"[1-9]\d? %"))
    page.get_by_role("link", name="Show the title").click(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("link", name="In the portal")).to_be_visible()


def _sign_in(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("/")
    page.get_by_label("User name").fill("vera")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Big Buck Bunny").first).to_be_visible()


def _find_and_play(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="More").first.click()
    page.get_by_role("link", name="Play").first.click()
    _advances(visitor)
    assert _requested(visitor, "mpd")


def _seek_by_the_storyboard(visitor: Visitor) -> None:
    page = visitor.page
    page.mouse.move(640, 300)
    bar = page.locator(".shaka-seek-bar-container")
    box = bar.bounding_box()
    assert box is not None
    place = box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2
    page.mouse.move(*place)
    picture = page.locator(".shaka-player-ui-thumbnail-image")
    loaded = "image => image.src.includes('/media/') && image.naturalWidth > 0"
    visitor.until(
        lambda: picture.count() and picture.evaluate(loaded), "a picture on the bar"
    )
    page.mouse.click(*place)
    visitor.until(lambda: _video(visitor)["time"] > SECONDS * 0.5, "it went there")
    _advances(visitor)


def _resume_after_a_reload(visitor: Visitor) -> None:
    before = _video(visitor)["time"]
    visitor.go("/watch/big-buck-bunny")
    _advances(visitor)
    assert abs(_video(visitor)["time"] - before) < 12


def _plays(visitor: Visitor, path: str, manifest: str) -> None:
    visitor.go(path)
    _advances(visitor)
    assert _requested(visitor, manifest)


def _is_closed_to_strangers(visitor: Visitor) -> None:
    """Nothing that the player fetched can be had without its token."""
    fetched = {url for url in _requested(visitor, "") if "/media/" in url}
    kinds = {url.rsplit(".", 1)[-1] for url in fetched}
    assert {"m3u8", "mp4", "m4s", "vtt"} <= kinds
    for url in fetched:
        head, _, tail = url.partition("/media/")
        token, _, rest = tail.partition("/")
        altered = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
        assert (
            requests.get(f"{head}/media/{altered}/{rest}", timeout=10).status_code
            == 403
        )
        assert requests.get(f"{head}/media/{rest}", timeout=10).status_code in (
            403,
            404,
        )


def _advances(visitor: Visitor) -> None:
    """Wait for moving pictures: time goes on and frames are decoded."""
    visitor.until(lambda: _video(visitor)["frames"] > 0, "a first picture")
    first = _video(visitor)
    visitor.until(
        lambda: _video(visitor)["time"] > first["time"] + 1, "the film goes on"
    )
    assert _video(visitor)["frames"] > first["frames"] + 12


def _video(visitor: Visitor) -> dict[str, float]:
    found: dict[str, float] = visitor.page.evaluate(
        """() => {
            const video = document.querySelector("video");
            const quality = video?.getVideoPlaybackQuality();
            return {
                time: video?.currentTime ?? 0,
                frames: quality?.totalVideoFrames ?? 0,
            };
        }"""
    )
    return found


def _requested(visitor: Visitor, ending: str) -> list[str]:
    names: list[str] = visitor.page.evaluate(
        "() => performance.getEntriesByType('resource').map((each) => each.name)"
    )
    return [name for name in names if name.endswith(ending)]


def _limit(wire: CDPSession, bytes_per_second: int) -> None:
    wire.send("Network.enable")
    wire.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": bytes_per_second,
        },
    )


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
