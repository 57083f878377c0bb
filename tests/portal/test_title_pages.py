"""The pages of series, episodes and people: what they show, and to whom."""

import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from appliance.catalog import artwork, people, portraits, series, titles
from appliance.catalog.titles import Title
from appliance.db import write
from appliance.permissions import SYSTEM, Role
from appliance.playback import progress
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import SignIn


def _shown(make: Builders, title: Title) -> Title:
    with write(make.db):
        make.db.conn.execute(
            "update titles set state = 'published', published_at = ? where id = ?",
            (make.db.now(), title.id),
        )
    return titles.by_id(make.db, title.id)


def _series(make: Builders, **more: Any) -> tuple[Title, list[Title]]:
    whole = _shown(
        make, titles.create(make.db, SYSTEM, "Dark Water", kind="series", **more)
    )
    parts = [
        _shown(
            make,
            titles.create(
                *(make.db, SYSTEM, name),
                kind="episode",
                parent=whole.slug,
                season_number=season,
            ),
        )
        for season, name in ((1, "The Well"), (1, "The Ledger"), (2, "Windfall"))
    ]
    return whole, parts


def test_a_series_says_what_its_button_does_and_shows_the_season_one_is_in(
    client: FlaskClient, make: Builders, sign_in: SignIn, settings: Settings
) -> None:
    whole, (first, second, _third) = _series(make)
    watched = make.asset(first, duration=3000.0)
    begun = make.asset(second, duration=3000.0)
    actor = sign_in(client)

    assert "Play S1 E1" in client.get(f"/title/{whole.slug}").text

    progress.save(make.db, settings, actor, watched, 2990.0)
    progress.save(make.db, settings, actor, begun, 1620.0)
    page = client.get(f"/title/{whole.slug}").text

    assert "Resume S1 E2 · 23 min left" in page
    assert f'href="/watch/{second.slug}"' in page
    assert "Watched" in page
    assert "2 seasons" in page
    assert "3 episodes" in page
    assert "1. The Well" in page
    assert "Windfall" not in page
    other = client.get(f"/title/{whole.slug}?season=2").text
    assert "1. Windfall" in other
    assert "The Well" not in other
    for odd in ("99", "x", "-1", "9" * 400):
        assert client.get(f"/title/{whole.slug}?season={odd}").status_code == 200


def test_a_series_without_episodes_says_so(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    whole = _shown(make, titles.create(make.db, SYSTEM, "To Come", kind="series"))
    sign_in(client)

    page = client.get(f"/title/{whole.slug}").text

    assert "No episodes yet" in page
    assert "/watch/" not in page


def test_an_episode_leads_to_its_series_and_its_neighbours(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    whole, (first, second, third) = _series(
        make,
        rating="16",
        credits=[
            {"name": "Ada Byron", "character": "Ines"},
            {"name": "Grace Hopper", "job": "director"},
        ],
    )
    sign_in(client)

    page = client.get(f"/title/{second.slug}").text

    assert f'href="/title/{whole.slug}"' in page
    assert "S1 E2" in page
    assert f'rel="prev" href="/title/{first.slug}"' in page
    assert f'rel="next" href="/title/{third.slug}"' in page
    assert '<span class="badge">16</span>' in page
    assert "Ada Byron" in page
    assert "Director" in page


def test_an_episode_of_a_series_that_is_gone_is_gone(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    whole, (first, *_rest) = _series(make)
    with write(make.db):
        make.db.conn.execute(
            "update titles set state = 'archived', removed_at = ?,"
            " removed_from = 'published' where id = ?",
            (make.db.now(), whole.id),
        )
    sign_in(client)
    assert client.get(f"/title/{first.slug}").status_code == 404
    assert client.get(f"/watch/{first.slug}").status_code == 404

    sign_in(client, Role.PUBLISHER)
    assert client.get(f"/title/{first.slug}").status_code == 200


def test_what_one_may_see_and_not_play_says_why(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    asset = make.asset()
    title = titles.by_id(make.db, asset.title_id)
    with write(make.db):
        make.db.conn.execute("delete from entitlements")
    sign_in(client)

    page = client.get(f"/title/{title.slug}").text

    assert "Your account does not include this title." in page
    assert f"/watch/{title.slug}" not in page


def test_a_title_is_told_in_the_language_of_the_profile(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    whole, _parts = _series(
        make, translations={"de": {"name": "Dunkles Wasser", "synopsis": "Nass."}}
    )
    actor = sign_in(client)
    with write(make.db):
        make.db.conn.execute(
            "update profiles set language = 'de-AT' where id = ?", (actor.profile_id,)
        )

    page = client.get(f"/title/{whole.slug}").text

    assert "<h1" in page
    assert "Dunkles Wasser" in page
    assert "Nass." in page


def test_tags_lead_to_a_page_of_what_has_them(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    whole, _parts = _series(make, tags=("Slow burn",))
    titles.create(make.db, SYSTEM, "A Draft", tags=("Secret project",))
    sign_in(client)

    assert 'href="/tag/slow-burn"' in client.get(f"/title/{whole.slug}").text
    assert "Dark Water" in client.get("/tag/slow-burn").text
    assert client.get("/tag/secret-project").status_code == 404
    assert client.get("/tag/nothing").status_code == 404


def test_a_person_is_known_to_whoever_may_see_their_work(
    client: FlaskClient, make: Builders, sign_in: SignIn, tmp_path: Path
) -> None:
    whole, (first, *_rest) = _series(make)
    titles.edit(
        *(make.db, SYSTEM, first.slug),
        credits=[{"name": "Ada Byron", "character": "Ines"}],
    )
    titles.create(
        *(make.db, SYSTEM, "A Draft"), credits=[{"name": "Nobody Yet", "job": "writer"}]
    )
    people.edit(make.db, SYSTEM, "ada-byron", biography="<b>Wrote</b> programs.")
    face = tmp_path / "face.png"
    Image.new("RGB", (400, 600), "teal").save(face)
    ada = portraits.add(make.db, make.storage, SYSTEM, "ada-byron", face)
    hidden = portraits.add(make.db, make.storage, SYSTEM, "nobody-yet", face)
    sign_in(client)

    page = client.get("/person/ada-byron").text

    assert "&lt;b&gt;Wrote&lt;/b&gt; programs." in page
    assert f'href="/title/{whole.slug}"' in page
    assert "Ines" in page
    with client.get(f"/portrait/{ada.portrait}/160.avif") as picture:
        assert picture.mimetype == "image/avif"
        with Image.open(io.BytesIO(picture.data)) as image:
            assert image.size == (160, 160)
    assert client.get("/person/nobody-yet").status_code == 404
    assert client.get(f"/portrait/{hidden.portrait}/160.jpg").status_code == 404
    sign_in(client, Role.PUBLISHER)
    assert client.get("/person/nobody-yet").status_code == 200


def test_an_age_limit_hides_people_with_their_work_and_portraits(
    client: FlaskClient, make: Builders, sign_in: SignIn, tmp_path: Path
) -> None:
    film = _shown(make, titles.create(make.db, SYSTEM, "Horror", rating="18"))
    titles.edit(make.db, SYSTEM, film.slug, credits=[{"name": "Ada Byron"}])
    face = tmp_path / "face.png"
    Image.new("RGB", (400, 400)).save(face)
    ada = portraits.add(make.db, make.storage, SYSTEM, "ada-byron", face)
    actor = sign_in(client, Role.PUBLISHER)
    with write(make.db):
        make.db.conn.execute(
            "update profiles set rating_limit = 12 where id = ?", (actor.profile_id,)
        )

    assert client.get("/person/ada-byron").status_code == 404
    assert client.get(f"/portrait/{ada.portrait}/160").status_code == 404


@pytest.mark.parametrize(
    ("address", "accept", "mimetype"),
    [
        ("640.avif", "*/*", "image/avif"),
        ("640.webp", "*/*", "image/webp"),
        ("640.jpg", "*/*", "image/jpeg"),
        ("640.png", "*/*", "image/png"),
        ("640", "image/avif,image/webp,*/*;q=0.8", "image/avif"),
        ("640", "image/webp,*/*", "image/webp"),
        ("640", "*/*", "image/jpeg"),
        ("99999999999999999999", "", "image/jpeg"),
    ],
)
def test_a_picture_comes_in_the_format_that_is_asked_for(
    client: FlaskClient,
    make: Builders,
    sign_in: SignIn,
    tmp_path: Path,
    address: str,
    accept: str,
    mimetype: str,
) -> None:
    picture = tmp_path / "picture.png"
    Image.new("RGB", (1280, 720), "teal").save(picture)
    art = artwork.add(
        *(make.db, make.storage, SYSTEM, make.title().id, "backdrop", picture),
        origin="upload",
    )
    sign_in(client)

    for _again in range(2):
        path = f"/artwork/{art.public_id}/{address}"
        with client.get(path, headers={"Accept": accept}) as answer:
            assert answer.mimetype == mimetype
            with Image.open(io.BytesIO(answer.data)) as image:
                assert image.width in (640, 1280)
    assert client.get(f"/artwork/{art.public_id}/640.svg").status_code == 404


def test_long_and_hostile_words_stay_words(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    whole, (first, *_rest) = _series(make)
    evil = '"><script>alert(1)</script>'
    titles.edit(
        *(make.db, SYSTEM, first.slug),
        name=evil,
        synopsis=evil * 100,
        original_name=evil,
        tags=(evil[:40],),
        credits=[{"name": evil, "character": evil}],
    )
    series.describe_season(make.db, SYSTEM, whole.slug, 1, name=evil, synopsis=evil)
    sign_in(client)

    for path in (f"/title/{whole.slug}", f"/title/{first.slug}"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
