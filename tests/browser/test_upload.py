"""The upload page in a real browser: interrupted twice, and finished bit by bit."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from appliance.catalog import titles
from appliance.clock import SystemClock
from appliance.db import Database, connect
from appliance.media import assets, jobs
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.portal.mortal_server import MortalServer, mortal_server, session_token
from web import guard

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
CHUNK = 1024 * 1024
SIZE = 8 * CHUNK + 4321


class Wire:
    """The network of a page."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Network.enable")

    def narrow(self) -> None:
        """Let a piece take about a second, so that something can happen meanwhile."""
        self._limit(CHUNK)

    def wide(self) -> None:
        self._limit(-1)

    def _limit(self, throughput: int) -> None:
        limits = {"downloadThroughput": -1, "uploadThroughput": throughput}
        self._session.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 0, **limits},
        )


@pytest.fixture
def live_db(settings: Settings) -> Iterator[Database]:
    with connect(settings.database, SystemClock()) as db:
        yield db


@pytest.fixture
def server(settings: Settings) -> Iterator[MortalServer]:
    pieces = {"MATINEE_UPLOADS_CHUNK_MEGABYTES": "1"}
    with mortal_server(settings, preload=True, **pieces) as server:
        yield server


@pytest.fixture
def page(
    chromium: Browser,
    server: MortalServer,
    live_db: Database,
    settings: Settings,
    storage: Storage,
) -> Iterator[Page]:
    """The upload page as a publisher sees it; an error on its console fails a test."""
    make = Builders(live_db, settings, storage)
    token = session_token(live_db, settings, make, Role.PUBLISHER)
    context = chromium.new_context(base_url=server.url)
    context.add_cookies([{"name": guard.COOKIE, "value": token, "url": server.url}])
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.extend(complaints(line.type, line.text)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/studio/upload")
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def wire(page: Page) -> Wire:
    return Wire(page)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "Tears of Steel.mov"
    path.write_bytes(secrets.token_bytes(SIZE))
    return path


def test_an_upload_goes_on_after_a_reload_and_after_the_server_died(
    page: Page,
    wire: Wire,
    server: MortalServer,
    film: Path,
    live_db: Database,
    storage: Storage,
) -> None:
    wire.narrow()
    with page.expect_request(piece(3)):
        page.get_by_label("Choose films").set_input_files(film)
    page.reload()

    card = page.get_by_role("article")
    expect(card).to_contain_text("Interrupted")
    expect(card).to_contain_text("3.1 MB of 8.4 MB have arrived")
    with page.expect_request(piece(5)) as sent:
        card.get_by_label("Choose the file again").set_input_files(film)
    assert checksum_of(sent.value) == digest(film, 5)
    in_the_middle_of_piece(page, 5)
    server.kill()
    expect(card).to_contain_text("Reconnecting")
    server.start()
    wire.wide()

    expect(card).to_contain_text("Processing", timeout=60_000)
    asset = assets.by_id(live_db, 1)
    assert storage.path(asset.source_path).read_bytes() == film.read_bytes()
    assert asset.source_name == film.name
    for table in ("uploads", "titles", "assets", "jobs"):
        assert live_db.value(f"select count(*) from {table}") == 1


def test_what_is_typed_while_a_film_arrives_is_kept(
    page: Page, wire: Wire, film: Path, live_db: Database
) -> None:
    wire.narrow()
    page.get_by_label("Choose films").set_input_files(film)
    card = page.get_by_role("article")
    expect(card.get_by_label("Title", exact=True)).to_have_value("Tears of Steel")

    card.get_by_label("Synopsis").fill("Robots in Amsterdam.")
    card.get_by_label("Year").fill("2012")
    with page.expect_response(lambda answer: "Fiction" in posted(answer.request)):
        card.get_by_label("Genres").fill("Science Fiction, Short")
    expect(card).to_contain_text("Saved")
    with page.expect_response("**/publish"):
        card.get_by_label("Publish as soon as it is ready").check()

    wire.wide()
    title = titles.by_id(live_db, 1)
    assert (title.synopsis, title.year) == ("Robots in Amsterdam.", 2012)
    assert title.genres == ("Science Fiction", "Short")
    expect(card).to_contain_text("Processing", timeout=60_000)
    asset = assets.by_id(live_db, 1)
    job = jobs.latest_of_asset(live_db, asset.id)
    assert job is not None
    assert job.publish_when_done


def test_a_wrong_entry_is_refused_beside_the_form(page: Page, film: Path) -> None:
    page.get_by_label("Choose films").set_input_files(film)
    card = page.get_by_role("article")

    card.get_by_label("Year").fill("soon")

    expect(card).to_contain_text("The year is a number")
    expect(card.get_by_label("Year")).to_have_attribute("aria-invalid", "true")


def test_an_upload_is_paused_and_resumed_with_the_keyboard(
    page: Page, wire: Wire, film: Path, live_db: Database
) -> None:
    wire.narrow()
    with page.expect_request(piece(2)):
        page.get_by_label("Choose films").set_input_files(film)
    card = page.get_by_role("article")

    card.get_by_role("button", name="Pause").press("Enter")
    expect(card).to_contain_text("Paused")
    expect(card.get_by_role("button", name="Resume")).to_be_focused()
    page.keyboard.press("Enter")

    expect(card).to_contain_text("Uploading")
    expect(card).to_contain_text(re.compile(r"B/s · .* left"))
    wire.wide()
    expect(card).to_contain_text("Processing", timeout=60_000)


def test_a_cancelled_upload_is_gone_and_its_draft_stays(
    page: Page, wire: Wire, film: Path, live_db: Database, storage: Storage
) -> None:
    wire.narrow()
    with page.expect_request(piece(2)):
        page.get_by_label("Choose films").set_input_files(film)
    card = page.get_by_role("article")

    card.get_by_role("button", name="Cancel").click()

    expect(card).to_contain_text("Cancelled")
    assert list(storage.path("uploads/parts").iterdir()) == []
    assert live_db.value("select state from titles") == "draft"


def test_the_card_follows_its_film_to_the_end(
    page: Page, film: Path, live_db: Database
) -> None:
    page.get_by_label("Choose films").set_input_files(film)
    card = page.get_by_role("article")
    expect(card.get_by_role("status").first).to_have_text("Processing", timeout=30_000)

    job = jobs.latest_of_asset(live_db, assets.by_id(live_db, 1).id)
    assert job is not None
    jobs.finish(live_db, job)

    expect(card.get_by_role("status").first).to_have_text("Ready", timeout=30_000)
    expect(card).to_contain_text("The film is ready")
    expect(card.get_by_role("link", name="Show the title")).to_be_visible()


def test_an_upload_whose_title_was_removed_meanwhile_says_so(
    page: Page, wire: Wire, film: Path, live_db: Database, storage: Storage
) -> None:
    wire.narrow()
    with page.expect_request(piece(2)):
        page.get_by_label("Choose films").set_input_files(film)

    titles.remove(live_db, storage, SYSTEM, "tears-of-steel")

    card = page.get_by_role("article")
    expect(card).to_contain_text("Lost")
    expect(card).to_contain_text("Choose the film above to start again.")
    expect(card.get_by_role("button", name="Resume")).to_be_hidden()


def test_another_file_is_not_taken_for_the_interrupted_one(
    page: Page, wire: Wire, film: Path, tmp_path: Path
) -> None:
    wire.narrow()
    with page.expect_request(piece(2)):
        page.get_by_label("Choose films").set_input_files(film)
    page.reload()
    other = tmp_path / "Another.mov"
    other.write_bytes(b"not the same film")

    card = page.get_by_role("article")
    card.get_by_label("Choose the file again").set_input_files(other)

    expect(card).to_contain_text("That is another file")
    expect(card).to_contain_text("Interrupted")


def test_the_cards_are_accessible_and_fit_a_phone(
    page: Page, wire: Wire, film: Path, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    wire.narrow()
    with page.expect_request(piece(2)):
        page.get_by_label("Choose films").set_input_files(film)
    page.reload()
    short, long = tmp_path / "Sintel.mkv", tmp_path / f"{'x' * 90}.mov"
    short.write_bytes(secrets.token_bytes(1000))
    long.write_bytes(secrets.token_bytes(SIZE))
    page.get_by_label("Choose films").set_input_files([short, long])

    for words in ("Interrupted", "Processing", "Uploading"):
        card = page.get_by_role("article").filter(has_text=words)
        expect(card.first).to_be_visible(timeout=30_000)
    assert violations(page) == []
    wider = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(wider) <= 0


def test_an_empty_file_is_refused_in_a_sentence(page: Page, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()

    page.get_by_label("Choose films").set_input_files(empty)

    expect(page.get_by_role("alert")).to_contain_text("empty")
    expect(page.get_by_role("article")).to_have_count(0)


def test_two_films_arrive_one_after_another(
    page: Page, film: Path, tmp_path: Path, live_db: Database
) -> None:
    second = tmp_path / "Sintel.mkv"
    second.write_bytes(secrets.token_bytes(CHUNK))

    page.get_by_label("Choose films").set_input_files([film, second])

    for name in (film.name, second.name):
        card = page.get_by_role("article", name=name)
        expect(card).to_contain_text("Processing", timeout=60_000)
    assert live_db.value("select count(*) from jobs") == 2


def violations(page: Page) -> list[Any]:
    """Return what axe finds wrong with the page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = page.evaluate(
        """async () => (await axe.run()).violations.map(
            (each) => [each.id, each.nodes.map((node) => node.html)])"""
    )
    return found


def piece(number: int) -> Callable[[Request], bool]:
    """Say of a request whether it is the piece of that number, from 0."""
    return lambda request: (
        request.method == "PATCH"
        and request.headers.get("upload-offset") == str(number * CHUNK)
    )


def in_the_middle_of_piece(page: Page, number: int) -> None:
    page.wait_for_function(
        "sent => document.querySelector('[data-bar]').value > sent",
        arg=(number + 0.2) * CHUNK,
    )


def posted(request: Request) -> str:
    return request.post_data or "" if request.method == "POST" else ""


def checksum_of(request: Request) -> str:
    return request.headers["upload-checksum"].removeprefix("sha256 ")


def digest(film: Path, number: int) -> str:
    """Return the SHA-256 of a piece as tus writes it."""
    content = film.read_bytes()[number * CHUNK : (number + 1) * CHUNK]
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def complaints(kind: str, text: str) -> list[str]:
    """Return what a console line complains of; a lost connection is meant to be one."""
    expected = "net::ERR_" in text or "the server responded with a status of 40" in text
    return [text] if kind == "error" and not expected else []
