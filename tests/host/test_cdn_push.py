"""Films in a bucket, and a CDN that fetches them there and all else from here."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import digests
from appliance import settings as configuration
from appliance.catalog import states
from appliance.catalog.titles import Title
from appliance.db import Database, write
from appliance.delivery import routes, shield, tokens
from appliance.delivery.cdn import pushing, vendors
from appliance.delivery.cdn.pushing import Push
from appliance.delivery.cdn.visitor import Visitor, from_cache, tampered
from appliance.delivery.tokens import Algorithm
from appliance.errors import (
    Conflict,
    Forbidden,
    Locked,
    NotFound,
    PreconditionFailed,
)
from appliance.events import Event, latest
from appliance.media import assets, leftovers, tracks
from appliance.media.assets import Asset
from appliance.media.moving import CACHING, Move
from appliance.media.tracks import Place, Track
from appliance.objects import Stores
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.conftest import Matinee
from tests.doubles.ways import STRAIGHT
from tests.host import object_server
from tests.host.cdn_nginx import Cdn
from tests.host.object_server import ObjectServer
from tests.host.served_nginx import Stack, environment, free_port, stack

SLUG = "the-film"


@pytest.fixture
def title(make: Builders) -> Title:
    return make.title("The Film", slug=SLUG)


@pytest.fixture
def film(make: Builders, title: Title) -> Asset:
    return make.asset(title, captions=("en",), heights=(234, 360))


@pytest.fixture
def used(settings: Settings, bucket: ObjectServer) -> Settings:
    return bucket.used_by(settings, prefix="films/main")


@pytest.fixture
def stores(storage: Storage, used: Settings) -> Stores:
    return Stores(storage, used)


@pytest.fixture
def push(db: Database, stores: Stores) -> Push:
    return Push(db, stores, SYSTEM)


@pytest.fixture
def there(stores: Stores) -> Callable[[], dict[str, bytes]]:
    """What lies below media/ in the bucket, by the path that a CDN asks for."""

    def read(name: str) -> bytes:
        content = bytearray()
        stores.objects.read(f"media/{name}", content.extend)
        return bytes(content)

    def all_of_it() -> dict[str, bytes]:
        names = [name for name, _ in stores.objects.listing("media")]
        return {f"/media/{name}": read(name) for name in names}

    return all_of_it


def files(db: Database, storage: Storage, film: Asset) -> dict[str, bytes]:
    """Return every file of a film on the disk, by the path that a CDN asks for."""
    return {
        f"/media/{film.public_id}/all/tracks/{track.public_id}/{path.name}": (
            path.read_bytes()
        )
        for track in tracks.of_asset(db, film.id)
        for path in storage.path(track.path).glob("*")
    }


def first(db: Database, film: Asset) -> Track:
    return tracks.of_asset(db, film.id)[0]


def test_a_film_lies_there_as_it_is_asked_for_and_stays_here(
    db: Database,
    storage: Storage,
    push: Push,
    film: Asset,
    there: Callable[[], dict[str, bytes]],
) -> None:
    seen: list[int] = []
    push.see = seen.append
    before = files(db, storage, film)

    done = push.title(SLUG)

    assert there() == before == files(db, storage, film)
    assert (done.tracks, done.files) == (5, len(before))
    assert done.bytes == sum(seen) == sum(map(len, before.values()))
    assert {each.place for each in tracks.of_asset(db, film.id)} == {Place.LOCAL}
    (event,) = [each for each in latest(db, 9) if each.name == Event.CDN_PUSH]
    assert event.data == {"files": done.files, "bytes": done.bytes}


def test_only_what_is_missing_is_copied(
    push: Push,
    stores: Stores,
    title: Title,
    film: Asset,
    there: Callable[[], dict[str, bytes]],
    tmp_path: Path,
) -> None:
    push.title(SLUG)
    whole = there()
    gone, cut, *_ = sorted(whole)
    stores.objects.remove(gone.removeprefix("/"))
    half = tmp_path / "half"
    half.write_bytes(whole[cut][:-1])
    stores.objects.put(half, cut.removeprefix("/"), "video/mp4", "no-store")

    done, again = push.title(SLUG), push.title(SLUG)

    assert (done.files, done.bytes) == (2, len(whole[gone]) + len(whole[cut]))
    assert (again.files, again.bytes, again.tracks) == (0, 0, 5)
    assert there() == whole


def test_reading_all_of_it_finds_other_bytes_of_the_same_size(
    push: Push,
    stores: Stores,
    film: Asset,
    there: Callable[[], dict[str, bytes]],
    tmp_path: Path,
) -> None:
    push.title(SLUG)
    whole = there()
    path = min(whole)
    other = tmp_path / "other"
    other.write_bytes(b"?" * len(whole[path]))
    stores.objects.put(other, path.removeprefix("/"), "video/mp4", CACHING)

    quick = push.title(SLUG)
    thorough = replace(push, thorough=True).title(SLUG)

    assert (quick.files, thorough.files) == (0, 1)
    assert there() == whole


def test_what_was_moved_to_object_storage_is_copied_within_it(
    db: Database,
    storage: Storage,
    push: Push,
    stores: Stores,
    film: Asset,
    there: Callable[[], dict[str, bytes]],
) -> None:
    before = files(db, storage, film)
    Move(db, stores, SYSTEM).title(SLUG, Place.OBJECTS)

    push.title(SLUG)

    assert there() == before
    assert list(stores.objects.listing("packages"))


def test_what_is_of_no_published_title_is_listed_and_removed(
    db: Database,
    make: Builders,
    push: Push,
    stores: Stores,
    film: Asset,
    storage: Storage,
    there: Callable[[], dict[str, bytes]],
) -> None:
    other = make.title("Another", slug="another")
    make.asset(other)
    done = list(push.everything())
    Move(db, stores, SYSTEM).title("another", Place.OBJECTS)
    nothing = pushing.stale(db, stores, SYSTEM)
    states.unpublish(db, SYSTEM, "another")

    old = pushing.stale(db, stores, SYSTEM)
    pushing.prune(stores, SYSTEM, list(old))

    assert {each.title for each in done} == {SLUG, "another"}
    assert nothing == {}
    assert len(old) == 4
    assert there() == files(db, storage, film)
    assert list(stores.objects.listing("packages")), "films that were moved stay"


def test_tracks_of_an_older_version_stay_as_long_as_here(
    db: Database, push: Push, stores: Stores, film: Asset
) -> None:
    push.title(SLUG)
    kept = [each.public_id for each in tracks.of_asset(db, film.id)[1:]]
    with write(db):
        tracks.serve(db, film.id, kept)
    replaced = pushing.stale(db, stores, SYSTEM)
    with write(db):
        tracks.forget(
            db, [each for each in tracks.kept(db, film.id) if each.retired_at]
        )

    assert replaced == {}
    assert len(pushing.stale(db, stores, SYSTEM)) == 1


def test_damaged_files_are_not_pushed(
    db: Database, storage: Storage, push: Push, film: Asset
) -> None:
    track = first(db, film)
    tracks.remember_files(db, track.id, digests.of_folder(storage.path(track.path)))
    path = storage.path(track.path) / "00001.m4s"
    path.write_bytes(b"?" * path.stat().st_size)

    with pytest.raises(Conflict, match=r"00001\.m4s"):
        push.title(SLUG)
    path.unlink()
    with pytest.raises(Conflict, match=r"00001\.m4s"):
        push.title(SLUG)


def test_only_published_titles_are_pushed_and_only_by_administrators(
    db: Database, make: Builders, push: Push, used: Settings, film: Asset
) -> None:
    make.asset(make.title("Draft", slug="draft", state="ready"))
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(PreconditionFailed, match="not published"):
        push.title("draft")
    with pytest.raises(NotFound):
        push.title("no-film")
    with pytest.raises(Forbidden):
        replace(push, actor=publisher).title(SLUG)
    with leftovers.only_one(used), pytest.raises(Locked):
        push.title(SLUG)
    assert [each.title for each in push.everything()] == [SLUG]


def test_the_command_pushes_and_prunes(
    db: Database,
    matinee: Matinee,
    monkeypatch: pytest.MonkeyPatch,
    used: Settings,
    film: Asset,
) -> None:
    unset = matinee("cdn", "push", SLUG)
    for name in ("bucket", "endpoint", "prefix"):
        value = getattr(used.objects, name)
        monkeypatch.setenv(f"MATINEE_OBJECTS_{name.upper()}", value)

    pushed = json.loads(matinee("cdn", "push", SLUG, "--json").stdout)
    again = matinee("cdn", "push", "--all", "--verify")
    states.unpublish(db, SYSTEM, SLUG)
    listed = matinee("cdn", "push", "--all")
    asked = matinee("cdn", "push", "--prune")
    pruned = json.loads(matinee("cdn", "push", "--prune", "--yes", "--json").stdout)
    nothing = matinee("cdn", "push", "--prune", "--yes")

    assert (unset.exit_code, "objects.bucket" in unset.stderr) == (2, True)
    assert pushed["to"] == "s3://films/films/main/"
    assert pushed["titles"][0]["files"] > 5
    assert pushed["stale"] == {}
    assert "all of it was there" in again.stdout
    assert "5 folders with" in listed.stdout
    assert "--prune removes them" in listed.stdout
    assert asked.exit_code == 2
    assert len(pruned["stale"]) == 5
    assert "nothing to remove" in nothing.stdout
    for wrong in ((), (SLUG, "--all")):
        assert matinee("cdn", "push", *wrong).exit_code == 2


KEY = base64.b64encode(b"k" * 32).decode()


@contextmanager
def _public(bucket: ObjectServer) -> Iterator[str]:
    """Serve the bucket to readers, as to a CDN that need not sign."""
    reader = ObjectServer(bucket.root, free_port(), signed=False)
    reader.start()
    try:
        yield f"{reader.url}/{object_server.BUCKET}"
    finally:
        reader.stop()


@pytest.fixture
def served(tmp_path: Path, bucket: ObjectServer) -> Iterator[Stack]:
    port, home = str(free_port()), tmp_path / "home"
    bucket.used_by(configuration.load(environ=environment(home)))
    with stack(
        home,
        MATINEE_NGINX_HTTP_PORT=port,
        MATINEE_PORTAL_PUBLIC_URL=f"http://127.0.0.1:{port}",
        MATINEE_CDN_URL=f"http://127.0.0.1:{free_port()}",
        MATINEE_CDN_NAME="fastly",
        MATINEE_OBJECTS_BUCKET=object_server.BUCKET,
        MATINEE_OBJECTS_ENDPOINT=bucket.url,
    ) as running:
        secrets = running.portal.settings.keys / "cdn.toml"
        secrets.write_text(f'[fastly]\nkey = "{KEY}"\n')
        secrets.chmod(0o600)
        yield running


def _cdn(settings: Settings, home: Path) -> Cdn:
    keys = tokens.load(settings.keys)
    return Cdn(
        home=home,
        origin=settings.portal.public_url,
        secret=shield.secrets(settings.keys)[0],
        token_key=KEY,
        media_secret=keys.secrets[keys.current].hex(),
        port=int(settings.cdn.url.rpartition(":")[2]),
    )


def _visitor(settings: Settings, film: Asset) -> Visitor:
    route = routes.cdn(settings)
    assert route is not None
    return Visitor(
        route,
        film.public_id,
        tokens.load(settings.keys),
        Algorithm(settings.origin.token),
        STRAIGHT,
        vendors.signer(settings, route.vendor),
    )


def test_a_cdn_takes_from_the_bucket_what_is_there_and_from_us_what_is_not(
    served: Stack, bucket: ObjectServer, tmp_path: Path
) -> None:
    portal = served.portal
    title = portal.make.title("Pushed", slug="pushed")
    pushed, other = portal.make.asset(title), portal.make.asset()
    served.command("cdn", "push", "pushed")
    file, there = (
        f"tracks/{first(portal.db, each).public_id}/00001.m4s"
        for each in (pushed, other)
    )
    ends = int(time.time()) + 300
    viewer, stranger = (_visitor(portal.settings, each) for each in (pushed, other))
    signed = viewer.signed(ends)

    with (
        _public(bucket) as public,
        replace(_cdn(portal.settings, tmp_path / "cdn"), bucket=public).running(),
    ):
        manifest = viewer.get(signed, "manifest.mpd")
        pulled = stranger.get(stranger.signed(ends), there)
        served.nginx.stop()
        served.stop_web()
        answers = [viewer.get(signed, file) for _ in range(2)]
        part = viewer.get(signed, file, {"Range": "bytes=2-4"})
        refused = [viewer.get(each, file) for each in (viewer.bare(), tampered(signed))]
        late = viewer.get(viewer.signed(int(time.time()) - 5), file)

    content = portal.storage.path(first(portal.db, pushed).path) / "00001.m4s"
    assert (manifest.status, pulled.status) == (200, 200)
    assert {each.body for each in answers} == {content.read_bytes()}
    assert [from_cache(each) for each in answers] == [False, True]
    assert (part.status, part.body) == (206, content.read_bytes()[2:5])
    assert [each.status for each in refused] == [403, 403]
    assert late.status == 410
    assert assets.of_title(portal.db, title.id)
