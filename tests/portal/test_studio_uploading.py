"""The upload page: names guessed, drafts made as asked, films from addresses."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from appliance.catalog import titles
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import fetches
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.conftest import SignIn
from web import create_app


def draft(client: FlaskClient, **fields: object) -> tuple[int, str]:
    data = {"filename": "film.mp4", "bytes": 5, **fields}
    answer = client.post("/studio/upload", data=data)
    return answer.status_code, answer.get_data(as_text=True)


def test_file_names_are_guessed_and_nothing_is_made(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    make.title("Harbour", kind="series", state="ready")
    names = [
        *("harbour.s01e02.The.Keeper.1080p.mkv", "harbour_1x03_master.mov"),
        *("Orchard (2020).mp4", "=cmd|calc.mp4", "<b>S02E01.mp4", "x" * 400 + ".mp4"),
    ]

    answer = client.post("/studio/upload/guess", data={"filename": names}).get_json()

    assert answer["ask"]
    assert 'value="The Keeper"' in answer["html"]
    assert "is there already" in answer["html"]
    assert "<b>S02" not in answer["html"]
    assert db.value("select count(*) from titles") == 1
    plain = client.post("/studio/upload/guess", data={"filename": ["Orchard.mp4"]})
    assert not plain.get_json()["ask"]
    many = client.post("/studio/upload/guess", data={"filename": ["a.mp4"] * 501})
    assert many.status_code == 400


def test_drafts_are_made_as_somebody_says(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    said = {"as": "episode", "series": "Harbour", "season": "1"}

    first = draft(client, **said, episode="1", name="One", year="2020")
    second = draft(client, **said, episode="2", name="")
    film = draft(client, **{"as": "film"}, name="Orchard", language="de")

    assert [status for status, _ in (first, second, film)] == [201, 201, 201]
    (series,) = titles.listing(db, SYSTEM, top=True, limit=1, offset=1)
    parts = titles.children(db, SYSTEM, series)
    assert [(each.name, each.episode_number) for each in parts] == [
        ("One", 1),
        ("Episode 2", 2),
    ]
    assert titles.search(db, SYSTEM, "orchard")[0].language == "de"


def test_an_episode_that_waits_gets_its_film_and_one_that_has_it_keeps_it(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    series = make.title("Harbour", kind="series", state="ready")
    waits = titles.create(
        *(db, SYSTEM, "Imported before"),
        kind="episode",
        parent=series.slug,
        season_number=1,
        episode_number=4,
    )
    said = {"as": "episode", "series": "harbour", "season": "1", "episode": "4"}

    status, card = draft(client, **said)
    assert status == 201
    assert f'data-title="{waits.slug}"' in card
    make.asset(waits)
    status, card = draft(client, **said)

    assert status == 400
    assert len(titles.children(db, SYSTEM, series)) == 1


@pytest.mark.parametrize(
    "said",
    [
        {"as": "episode", "series": ""},
        {"as": "episode", "series": "H", "season": "one", "episode": "1"},
        {"as": "episode", "series": "H", "season": "1", "episode": "-1"},
        {"as": "episode", "series": "x" * 201, "episode": "1"},
        {"as": "film", "name": "x" * 201},
        {"as": "film", "year": "<script>"},
        {"as": "trailer", "series": "nowhere"},
        {"title": "nowhere"},
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(
    client: FlaskClient, sign_in: SignIn, db: Database, said: dict[str, str]
) -> None:
    sign_in(client, Role.PUBLISHER)

    status, _ = draft(client, **said)

    assert status in (400, 404)
    assert db.value("select count(*) from titles") == 0


def test_extras_come_in_from_the_page_of_their_film(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    film = make.title("Orchard")

    page = client.get(f"/studio/upload?title={film.slug}").get_data(as_text=True)
    assert "A trailer" in page
    draft(client, title=film.slug, **{"as": "trailer"}, filename="Orchard trailer.mp4")

    (part,) = titles.children(db, SYSTEM, film)
    assert (part.kind, part.name) == ("trailer", "Orchard trailer")


def test_a_film_that_is_there_already_is_told_of(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    make.asset(make.title("Orchard"), source_name="film.mp4", source_bytes=5)

    _, card = draft(client)

    assert "is here already" in card


@pytest.fixture
def fetching(
    settings: Settings, clock: FixedClock, storage: Storage, sign_in: SignIn
) -> FlaskClient:
    """A publisher where films may be fetched from addresses."""
    on = replace(settings, uploads=replace(settings.uploads, from_urls=True))
    app = create_app(on, clock)
    app.testing = True
    client = app.test_client()
    sign_in(client, Role.PUBLISHER)
    page = client.get("/studio/upload").get_data(as_text=True)
    token = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    client.environ_base["HTTP_X_CSRFTOKEN"] = token
    return client


def test_films_are_asked_for_by_address_and_cancelled(
    fetching: FlaskClient, db: Database
) -> None:
    url = "https://films.example.org/one.mp4?signature=secret"

    page = fetching.post(
        "/studio/fetches", data={"url": url}, follow_redirects=True
    ).get_data(as_text=True)
    assert "films.example.org" in page
    assert "secret" not in page
    twice = fetching.post("/studio/fetches", data={"url": url})
    assert twice.status_code == 409
    (fetch,) = fetches.listing(db, SYSTEM)
    fetching.post(f"/studio/fetches/{fetch.public_id}/cancel")

    assert fetches.by_id(db, fetch.public_id).state == "cancelled"


@pytest.mark.parametrize(
    "url", ["", "ftp://example.org/x", "<script>alert(1)</script>", "x" * 3000]
)
def test_what_is_no_address_is_told_and_kept(
    fetching: FlaskClient, db: Database, url: str
) -> None:
    answer = fetching.post("/studio/fetches", data={"url": url})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'id="url-error"' in page
    assert "<script>alert" not in page
    assert fetches.listing(db, SYSTEM) == []


def test_nothing_is_fetched_until_it_is_switched_on(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.PUBLISHER)

    assert "Or fetch a film" not in client.get("/studio/upload").get_data(as_text=True)
    answer = client.post("/studio/fetches", data={"url": "https://example.org/x"})
    assert answer.status_code == 503
