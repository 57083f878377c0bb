"""The protocol of resumable uploads: begun, continued, checked, refused, finished."""

import base64
import errno
import hashlib
import threading
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.catalog import titles
from appliance.db import Database
from appliance.errors import StorageFull
from appliance.media import assets, jobs, uploads
from appliance.media.jobs import JobKind
from appliance.permissions import Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.conftest import SignIn
from web import guard
from web.studio.locks import FileLocks
from web.studio.parts import Parts, full_disk_explained

FILM = bytes(range(256)) * 40
NAMES = (
    "film.mp4",
    'a "quoted" film’s cut.mkv',
    "../../etc/passwd",
    "line\nbreak.mov",
    "no extension",
    "ünïcödé 映画.mp4",
)


def encoded(**metadata: str) -> str:
    return ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}"
        for key, value in metadata.items()
    )


def begin(
    client: FlaskClient, size: int = len(FILM), name: str = "film.mp4", **more: str
) -> TestResponse:
    return client.post(
        "/studio/uploads",
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(size),
            "Upload-Metadata": encoded(filename=name, **more),
        },
    )


def begun(
    client: FlaskClient, size: int = len(FILM), name: str = "film.mp4", **more: str
) -> str:
    answer = begin(client, size, name, **more)
    assert answer.status_code == 201
    return answer.headers["Location"]


def send(
    client: FlaskClient, url: str, offset: int, data: bytes, **headers: str
) -> TestResponse:
    return client.patch(
        url,
        data=data,
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
            **headers,
        },
    )


def offset_of(client: FlaskClient, url: str) -> int:
    answer = client.head(url, headers={"Tus-Resumable": "1.0.0"})
    assert answer.status_code == 200
    return int(answer.headers["Upload-Offset"])


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    digest = hashlib.new(algorithm, data).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


def same_browser(app: Flask, client: FlaskClient) -> FlaskClient:
    """Return another connection of the same browser: its cookies, its form token."""
    other = app.test_client()
    other.environ_base.update(client.environ_base)
    for name in (guard.COOKIE, "matinee_form"):
        cookie = client.get_cookie(name)
        assert cookie
        other.set_cookie(name, cookie.value)
    return other


@pytest.fixture
def contributor(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.CONTRIBUTOR)
    return client


def test_a_film_sent_in_pieces_becomes_an_asset_with_a_job(
    contributor: FlaskClient, db: Database, storage: Storage
) -> None:
    url = begun(contributor)

    assert send(contributor, url, 0, FILM[:4000]).status_code == 204
    assert offset_of(contributor, url) == 4000
    last = send(contributor, url, 4000, FILM[4000:])

    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(FILM)))
    asset = assets.by_id(db, 1)
    assert storage.path(asset.source_path).read_bytes() == FILM
    assert db.value("select count(*) from jobs where asset_id = ?", (asset.id,)) == 1
    assert list(storage.path("uploads/parts").iterdir()) == []


def test_the_server_says_what_it_can(contributor: FlaskClient) -> None:
    answer = contributor.options("/studio/uploads")

    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    extensions = answer.headers["Tus-Extension"].split(",")
    assert sorted(extensions) == ["checksum", "creation", "termination"]
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"
    assert answer.headers["Tus-Max-Size"] == str(200 * 1000**3)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_piece_that_was_damaged_on_its_way_is_thrown_away(
    contributor: FlaskClient, algorithm: str
) -> None:
    url = begun(contributor)
    proof = checksum(FILM[:4000], algorithm)

    damaged = b"x" + FILM[1:4000]
    refused = send(contributor, url, 0, damaged, **{"Upload-Checksum": proof})

    assert refused.status_code == 460
    assert "damaged" in refused.get_json()["detail"]
    assert offset_of(contributor, url) == 0
    again = send(contributor, url, 0, FILM[:4000], **{"Upload-Checksum": proof})
    assert again.status_code == 204


def test_a_piece_for_another_place_is_refused(contributor: FlaskClient) -> None:
    url = begun(contributor)
    send(contributor, url, 0, FILM[:100])

    assert send(contributor, url, 0, FILM[:100]).status_code == 409
    assert send(contributor, url, 500, FILM[500:600]).status_code == 409
    assert offset_of(contributor, url) == 100


def test_more_than_was_announced_is_refused(contributor: FlaskClient) -> None:
    url = begun(contributor, size=100)

    assert send(contributor, url, 0, FILM[:101]).status_code == 400
    assert offset_of(contributor, url) == 0


def test_a_film_that_is_too_large_is_refused_before_it_is_sent(
    contributor: FlaskClient, db: Database
) -> None:
    answer = begin(contributor, size=200 * 1000**3 + 1, name="epic.mov")

    assert answer.status_code == 413
    assert "200 GB" in answer.get_json()["detail"]
    assert db.value("select count(*) from uploads") == 0


def test_a_film_that_finds_no_room_is_refused_before_it_is_sent(
    contributor: FlaskClient, storage: Storage, db: Database
) -> None:
    answer = begin(contributor, size=storage.free_bytes() + 1)

    assert answer.status_code == 507
    assert "free some room" in answer.get_json()["detail"]
    assert db.value("select count(*) from uploads") == 0


def test_a_disk_that_fills_up_meanwhile_is_told_in_a_sentence() -> None:
    refusal = pytest.raises(StorageFull, match="free some room, then resume")
    with refusal, full_disk_explained():
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), full_disk_explained():
        raise PermissionError(errno.EACCES, "Permission denied")


def test_another_version_of_the_protocol_is_refused(contributor: FlaskClient) -> None:
    url = begun(contributor)

    assert contributor.post("/studio/uploads").status_code == 412
    assert contributor.head(url).status_code == 412
    assert contributor.patch(url, data=b"x").status_code == 412


def test_an_empty_film_is_refused(contributor: FlaskClient) -> None:
    answer = begin(contributor, size=0, name="empty.mp4")

    assert answer.status_code == 400
    assert "empty" in answer.get_json()["detail"]


@pytest.mark.parametrize("length", [None, "-1", "many", "9" * 30])
def test_an_upload_says_how_long_it_is(
    contributor: FlaskClient, length: str | None
) -> None:
    headers = {"Tus-Resumable": "1.0.0"}
    if length is not None:
        headers["Upload-Length"] = length

    assert contributor.post("/studio/uploads", headers=headers).status_code == 400


def test_a_piece_larger_than_a_chunk_is_refused(
    app: Flask, contributor: FlaskClient
) -> None:
    chunk = 16 * 1024**2
    url = begun(contributor, size=2 * chunk)

    assert send(contributor, url, 0, bytes(chunk + 1)).status_code == 413
    assert send(contributor, url, 0, bytes(chunk)).status_code == 204


def test_an_upload_belongs_to_the_account_that_began_it(
    app: Flask, contributor: FlaskClient, sign_in: SignIn
) -> None:
    url = begun(contributor)
    stranger = same_browser(app, contributor)
    sign_in(stranger, Role.ADMINISTRATOR)
    version = {"Tus-Resumable": "1.0.0"}

    assert stranger.head(url, headers=version).status_code == 404
    assert send(stranger, url, 0, FILM[:10]).status_code == 404
    assert stranger.delete(url, headers=version).status_code == 404
    assert stranger.post(f"{url}/outcome").status_code == 404
    assert offset_of(contributor, url) == 0


@pytest.mark.parametrize("role", [Role.VIEWER, None])
def test_nobody_else_uploads(
    client: FlaskClient, sign_in: SignIn, role: Role | None
) -> None:
    if role:
        sign_in(client, role)

    assert begin(client).status_code == (403 if role else 401)


def test_a_page_elsewhere_cannot_upload_in_somebodys_name(
    contributor: FlaskClient,
) -> None:
    url = begun(contributor)
    del contributor.environ_base["HTTP_X_CSRFTOKEN"]

    assert begin(contributor).status_code == 403
    assert send(contributor, url, 0, FILM).status_code == 403


def test_a_film_goes_to_the_title_it_was_meant_for(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    actor = sign_in(client, Role.CONTRIBUTOR)
    title = make.title("A draft", state="draft", actor=actor)

    send(client, begun(client, title=title.slug), 0, FILM)

    assert [each.title_id for each in assets.of_title(db, title.id)] == [title.id]


def test_a_film_for_a_title_that_has_one_replaces_it(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    film = make.asset(make.title("A film"))
    title = titles.by_id(db, film.title_id)

    send(client, begun(client, title=title.slug), 0, FILM)

    job = jobs.making(db, film.id)
    assert [each.id for each in assets.of_title(db, film.title_id)] == [film.id]
    assert job is not None
    assert job.kind is JobKind.REPLACE
    assert assets.by_id(db, film.id).source_path == film.source_path


def test_a_film_cannot_be_put_into_somebody_elses_title(
    contributor: FlaskClient, make: Builders
) -> None:
    title = make.title("Not mine", state="published")

    assert begin(contributor, title=title.slug).status_code == 403


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_is_a_text_and_never_a_path(
    contributor: FlaskClient, db: Database, storage: Storage, name: str
) -> None:
    send(contributor, begun(contributor, name=name), 0, FILM)

    asset = assets.by_id(db, 1)
    assert asset.source_name == name
    source = storage.path(asset.source_path)
    assert source.read_bytes() == FILM
    assert source.parent == storage.path(f"sources/{asset.public_id}")
    assert source.stem == "source"


def test_a_cancelled_upload_leaves_nothing(
    contributor: FlaskClient, db: Database, storage: Storage
) -> None:
    url = begun(contributor)
    send(contributor, url, 0, FILM[:4000])

    gone = contributor.delete(url, headers={"Tus-Resumable": "1.0.0"})

    assert gone.status_code == 204
    assert list(storage.path("uploads/parts").iterdir()) == []
    assert contributor.head(url, headers={"Tus-Resumable": "1.0.0"}).status_code == 404
    assert db.value("select state from uploads") == "failed"
    assert db.value("select count(*) from assets") == 0


def test_a_finished_upload_still_answers_how_much_arrived(
    contributor: FlaskClient,
) -> None:
    url = begun(contributor)
    send(contributor, url, 0, FILM)

    assert offset_of(contributor, url) == len(FILM)


def test_an_upload_whose_server_died_after_the_last_byte_is_taken_in_once(
    contributor: FlaskClient, db: Database, settings: Settings, storage: Storage
) -> None:
    url = begun(contributor)
    upload = url.rsplit("/", 1)[1]
    # What the server of a moment ago had done when it died: the bytes and the index.
    index = Parts(settings, storage).server.storage
    index.write_chunk(upload, 0, FILM)
    index.update_offset_atomic(upload, 0, len(FILM))

    assert offset_of(contributor, url) == len(FILM)
    answers = [contributor.post(f"{url}/outcome") for _ in range(2)]

    assert [each.status_code for each in answers] == [200, 200]
    assert db.value("select count(*) from assets") == 1
    assert db.value("select count(*) from jobs") == 1
    assert uploads.by_public_id(db, upload).state == "finished"


def test_the_outcome_of_half_an_upload_is_that_it_is_unfinished(
    contributor: FlaskClient,
) -> None:
    url = begun(contributor)
    send(contributor, url, 0, FILM[:4000])

    answer = contributor.post(f"{url}/outcome")

    assert answer.status_code == 404
    assert "Not all" in answer.get_json()["detail"]


def test_of_pieces_that_race_for_one_place_one_wins(
    app: Flask, contributor: FlaskClient, storage: Storage
) -> None:
    url = begun(contributor)
    answers: list[int] = []

    def race(fill: int) -> None:
        racer = same_browser(app, contributor)
        answers.append(send(racer, url, 0, bytes([fill]) * 5000).status_code)

    threads = [threading.Thread(target=race, args=(fill,)) for fill in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [204] + [409] * 5
    (part,) = storage.path("uploads/parts").iterdir()
    assert len(set(part.read_bytes())) == 1, "pieces of two requests were mixed"


def test_a_lock_is_free_again_when_its_holder_is_gone(tmp_path: Path) -> None:
    first, second = FileLocks(tmp_path), FileLocks(tmp_path)
    token = first.acquire("ab12", 60)
    assert token is not None

    assert second.acquire("ab12", 60) is None
    first.release("ab12", token)
    with second.holding("ab12", 0):
        assert first.acquire("ab12", 60) is None


def test_what_nobody_went_on_with_is_removed_after_a_while(
    contributor: FlaskClient,
    db: Database,
    storage: Storage,
) -> None:
    url = begun(contributor)
    send(contributor, url, 0, FILM[:4000])
    db.conn.execute("update uploads set updated_at = ?", (db.now(days=-8),))

    begun(contributor)

    assert contributor.head(url, headers={"Tus-Resumable": "1.0.0"}).status_code == 404
    assert len(list(storage.path("uploads/parts").iterdir())) == 1
