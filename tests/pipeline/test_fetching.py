"""Films from addresses: fetched whole, or given up with a reason; never from within."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from appliance.catalog import titles
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, InvalidInput, PreconditionFailed
from appliance.events import latest
from appliance.media import assets, fetches
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import errands
from jobs.errands import Beside
from jobs.fetching import Fetching, drop_old
from tests.builders import Builders

FILM = b"\x00\x00\x00\x20ftypisom" + b"film" * 5000
_Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """A web server on this machine; each path is answered by a function."""

    url: str
    paths: dict[str, _Answer] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)


def film(content: bytes = FILM, **headers: str) -> _Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(content)

    return answer


def sent_to(location: str) -> _Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", location)
        request.end_headers()

    return answer


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, self.headers["Host"]))
            answer = site.paths.get(self.path.partition("?")[0])
            if answer is None:
                self.send_error(404)
            else:
                answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_house(settings: Settings) -> Settings:
    """Settings that let films be fetched, also from this machine."""
    uploads = replace(settings.uploads, from_urls=True, url_networks="127.0.0.0/8")
    return replace(settings, uploads=uploads)


def fetched(db: Database, storage: Storage, settings: Settings) -> fetches.Fetch:
    """Do what is due, and return what became of the last one."""
    Fetching(storage, settings, errands.at_once).look(db)
    return fetches.listing(db, SYSTEM)[0]


def test_a_film_is_fetched_and_taken_in(
    db: Database, storage: Storage, open_house: Settings, site: Site
) -> None:
    named = 'attachment; filename="../The%20Orchard.mp4"'
    site.paths["/get"] = film(Content_Disposition=named)
    fetches.start(db, open_house, SYSTEM, f"{site.url}/get?signature=secret")

    done = fetched(db, storage, open_house)

    assert (done.state, done.received, done.url) == ("done", len(FILM), "//127.0.0.1")
    title = titles.by_slug(db, SYSTEM, done.slug or "")
    (asset,) = assets.of_title(db, title.id)
    assert storage.path(asset.source_path).read_bytes() == FILM
    assert "secret" not in str([each.data for each in latest(db)])
    assert not list(storage.path("uploads/fetched").iterdir())


def test_it_comes_for_a_title_that_waits(
    db: Database,
    storage: Storage,
    open_house: Settings,
    site: Site,
    make: Builders,
) -> None:
    eve = make.actor(Role.PUBLISHER)
    title = make.title("Orchard", state="draft")
    site.paths["/one.mp4"] = film()
    fetches.start(db, open_house, eve, f"{site.url}/one.mp4", slug=title.slug)

    done = fetched(db, storage, open_house)

    assert done.slug == title.slug
    assert assets.of_title(db, title.id)[0].source_name == "one.mp4"


def test_redirections_are_followed_and_checked(
    db: Database, storage: Storage, open_house: Settings, site: Site
) -> None:
    site.paths |= {"/a": sent_to("/b"), "/b": sent_to(f"{site.url}/c.mp4")}
    site.paths["/c.mp4"] = film()
    fetches.start(db, open_house, SYSTEM, f"{site.url}/a")

    assert fetched(db, storage, open_house).state == "done"
    assert [path for path, _ in site.asked] == ["/a", "/b", "/c.mp4"]


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://10.0.0.1/film.mp4", "address.private"),
        ("http://169.254.169.254/latest/meta-data/", "address.private"),
        ("http://[::1]:1/film.mp4", "address.private"),
        ("file:///etc/passwd", "address.invalid"),
        ("/round", "fetch.redirected"),
        ("", "fetch.redirected"),
    ],
)
def test_no_redirection_leads_into_our_networks(
    db: Database,
    storage: Storage,
    open_house: Settings,
    site: Site,
    location: str,
    code: str,
) -> None:
    site.paths["/round"] = sent_to(location)
    fetches.start(db, open_house, SYSTEM, f"{site.url}/round")

    failed = fetched(db, storage, open_house)

    assert (failed.state, failed.code) == ("failed", code)
    assert db.value("select count(*) from titles") == 0


def test_our_own_machine_is_not_asked_without_the_setting(
    db: Database, storage: Storage, open_house: Settings, site: Site
) -> None:
    closed = replace(open_house, uploads=replace(open_house.uploads, url_networks=""))
    site.paths["/film.mp4"] = film()
    fetches.start(db, closed, SYSTEM, f"{site.url}/film.mp4")

    failed = fetched(db, storage, closed)

    assert (failed.state, failed.code) == ("failed", "address.private")
    assert site.asked == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<!doctype html><p>Please sign in</p>", "text/html"),
        (b"PK\x03\x04" + b"x" * 5000, "video/mp4"),
        (b"\x7fELF" + b"x" * 5000, "application/octet-stream"),
        (b"#!/bin/sh\n", "video/mp4"),
    ],
)
def test_what_is_no_film_is_given_up_at_once(
    db: Database,
    storage: Storage,
    open_house: Settings,
    site: Site,
    content: bytes,
    kind: str,
) -> None:
    site.paths["/film.mp4"] = film(content, Content_Type=kind)
    fetches.start(db, open_house, SYSTEM, f"{site.url}/film.mp4")

    failed = fetched(db, storage, open_house)

    assert (failed.state, failed.code) == ("failed", "fetch.no-film")
    assert kind in failed.message


def test_what_is_too_large_is_not_fetched(
    db: Database, storage: Storage, open_house: Settings, site: Site
) -> None:
    small = replace(open_house, uploads=replace(open_house.uploads, max_gigabytes=0))

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(FILM)

    for answer in (film(), endless):
        site.paths["/film.mp4"] = answer
        fetches.start(db, small, SYSTEM, f"{site.url}/film.mp4")
        assert fetched(db, storage, small).code == "fetch.too-large"


def test_a_film_that_breaks_off_is_tried_again_and_then_given_up(
    db: Database, storage: Storage, open_house: Settings, site: Site
) -> None:
    def cut(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(FILM) + 5))
        request.end_headers()
        request.wfile.write(FILM)

    site.paths["/film.mp4"] = cut
    fetches.start(db, open_house, SYSTEM, f"{site.url}/film.mp4")

    failed = fetched(db, storage, open_house)

    assert (failed.state, failed.code) == ("failed", "fetch.short")


@pytest.mark.parametrize(("status", "code"), [(404, "nothing"), (403, "refused")])
def test_a_refusal_is_told(
    db: Database,
    storage: Storage,
    open_house: Settings,
    site: Site,
    status: int,
    code: str,
) -> None:
    site.paths["/film.mp4"] = lambda request: request.send_error(status)
    fetches.start(db, open_house, SYSTEM, f"{site.url}/film.mp4")

    assert fetched(db, storage, open_house).code == f"fetch.{code}"


def test_a_film_is_cancelled_while_it_comes_and_goes_on_after_a_restart(
    db: Database, storage: Storage, open_house: Settings, site: Site
) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(FILM)
        begun.set()
        assert go.wait(20)
        request.wfile.write(FILM)

    site.paths["/film.mp4"] = slow
    made = fetches.start(db, open_house, SYSTEM, f"{site.url}/film.mp4")
    rung = threading.Event()
    beside = Beside(open_house.database, lambda _: rung.set(), attempts=3)
    fetching = Fetching(storage, open_house, beside)
    fetching.look(db)
    assert begun.wait(20)
    fetches.cancel(db, SYSTEM, made.public_id)
    go.set()
    assert rung.wait(20)
    fetching.look(db)

    assert fetches.by_id(db, made.public_id).state == "cancelled"
    assert fetching.under_way == set()
    assert db.value("select count(*) from titles") == 0

    # A control worker that dies leaves a row that says "running": the next begins.
    again = fetches.start(db, open_house, SYSTEM, f"{site.url}/film.mp4")
    fetches.note(db, again.public_id, 5, None, "film.mp4")
    assert fetched(db, storage, open_house).state == "done"


def test_it_is_off_until_somebody_switches_it_on(
    db: Database, settings: Settings, open_house: Settings, make: Builders
) -> None:
    url = "https://example.org/film.mp4"
    with pytest.raises(PreconditionFailed, match="switch it"):
        fetches.start(db, settings, SYSTEM, url)
    with pytest.raises(Forbidden):
        fetches.start(db, open_house, make.actor(Role.CONTRIBUTOR), url)
    with pytest.raises(InvalidInput):
        fetches.start(db, open_house, SYSTEM, "not an address")
    fetches.start(db, open_house, SYSTEM, url)
    with pytest.raises(Conflict, match="already"):
        fetches.start(db, open_house, SYSTEM, url)


def test_what_ended_long_ago_is_forgotten(
    db: Database, storage: Storage, open_house: Settings, clock: FixedClock
) -> None:
    made = fetches.start(db, open_house, SYSTEM, "https://example.org/film.mp4")
    storage.write("uploads/fetched/of-nobody", b"x")
    fetches.cancel(db, SYSTEM, made.public_id)
    clock.advance(days=31)

    drop_old(db, storage)

    assert fetches.listing(db, SYSTEM) == []
    assert not storage.path("uploads/fetched/of-nobody").exists()
