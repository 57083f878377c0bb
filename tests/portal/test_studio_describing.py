"""The Studio's pages of a title: form, cast, languages, artwork, seasons, people."""

import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from werkzeug.test import TestResponse

from appliance.catalog import artwork, credits, people, series, titles, translations
from appliance.catalog.titles import Title
from appliance.catalog.translations import Translation
from appliance.db import Database, write
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import SignIn

_EVIL = '"><script>alert(1)</script>'


def _form(title: Title, **changes: object) -> dict[str, object]:
    return {
        "revision": title.revision,
        "name": title.name,
        "kind": title.kind.value,
        "original_name": title.original_name,
        "synopsis": title.synopsis,
        "year": title.year or "",
        "rating": title.rating,
        "language": title.language,
        "genres": ", ".join(title.genres),
        "tags": "",
        "external_id": title.external_id or "",
        "parent": "",
        "season_number": "",
        "episode_number": "",
    } | changes


def _png(size: tuple[int, int] = (1280, 720), mode: str = "RGB") -> io.BytesIO:
    file = io.BytesIO()
    Image.new(mode, size, "teal" if mode == "RGB" else None).save(file, "PNG")
    file.seek(0)
    return file


def _upload(
    client: FlaskClient, path: str, picture: io.BytesIO, **data: Any
) -> TestResponse:
    return client.post(path, data={**data, "picture": (picture, "../a.png")})


def test_a_series_is_made_with_episodes_without_a_script(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)

    page = client.get("/studio/new?kind=series").text
    assert re.search(r'<option value="series" selected', page)
    client.post("/studio/new", data={"name": "Dark Water", "kind": "series"})
    whole = titles.by_slug(db, SYSTEM, "dark-water")
    page = client.get(f"/studio/titles/{whole.slug}/seasons").text
    assert "/studio/new?kind=episode&amp;parent=dark-water" in page
    for name in ("The Well", "The Ledger"):
        answer = client.post(
            "/studio/new",
            data={"name": name, "kind": "episode", "parent": whole.slug},
        )
        assert answer.status_code == 302

    (season,) = series.seasons(db, SYSTEM, whole)
    assert [(each.name, each.episode_number) for each in season.episodes] == [
        ("The Well", 1),
        ("The Ledger", 2),
    ]
    page = client.get(f"/studio/titles/{season.episodes[0].slug}").text
    assert "Dark Water" in page
    assert "S1 E1" in page


def test_what_is_refused_is_kept_with_the_sentence_at_its_field(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)

    answer = client.post(
        "/studio/new",
        data={"name": _EVIL, "kind": "episode", "parent": "nothing", "tags": "a, b"},
    )

    assert answer.status_code == 400
    assert 'id="title-parent-error"' in answer.text
    assert "There is no title “nothing”" in answer.text
    assert "alert(1)" in answer.text
    assert "<script>alert" not in answer.text
    assert 'value="a, b"' in answer.text
    assert db.value("select count(*) from titles") == 0


def test_all_fields_of_a_title_are_kept(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready")

    client.post(
        f"/studio/titles/{title.slug}",
        data=_form(
            title,
            kind="documentary",
            original_name="Obstgarten",
            tags="slow, green",
            external_id="tt1",
            parent="ignored-for-a-documentary",
        ),
    )

    kept = titles.by_id(db, title.id)
    assert (kept.kind, kept.original_name) == ("documentary", "Obstgarten")
    assert kept.external_id == "tt1"
    page = client.get(f"/studio/titles/{title.slug}").text
    assert 'value="slow, green"' in page


def test_two_who_write_at_once_see_both_and_lose_nothing(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    title = make.title("Orchard", state="ready")
    ada = make.actor(Role.PUBLISHER, username="ada")
    titles.edit(db, ada, title.slug, year=2020, synopsis="Hers.")
    sign_in(client, Role.PUBLISHER)

    answer = client.post(
        f"/studio/titles/{title.slug}", data=_form(title, year=2021, synopsis="Mine.")
    )

    assert answer.status_code == 409
    assert "ada changed “Orchard” while you wrote" in answer.text
    assert ">Mine.</textarea>" in answer.text
    assert "<q>Hers.</q>" in answer.text
    assert "<q>2020</q>" in answer.text
    assert titles.by_id(db, title.id).year == 2020

    shown = re.search(r'name="revision" value="(\d+)"', answer.text)
    assert shown is not None
    again = _form(title, year=2021, synopsis="Mine.", revision=shown.group(1))
    assert client.post(f"/studio/titles/{title.slug}", data=again).status_code == 302
    assert titles.by_id(db, title.id).synopsis == "Mine."


def test_an_episode_of_a_series_in_the_trash_says_so(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    whole = titles.create(db, SYSTEM, "Dark Water", kind="series")
    part = titles.create(db, SYSTEM, "Pilot", kind="episode", parent=whole.slug)
    with write(db):
        db.conn.execute(
            "update titles set removed_at = ?, removed_from = state,"
            " state = 'archived' where id = ?",
            (db.now(), whole.id),
        )

    page = client.get(f"/studio/titles/{part.slug}")
    kept = client.post(
        f"/studio/titles/{part.slug}",
        data=_form(part, name="Pilot, again", kind="episode", parent=whole.slug),
    )

    assert page.status_code == 200
    assert "is in the trash" in page.text
    assert kept.status_code == 302
    assert titles.by_id(db, part.id).name == "Pilot, again"


def _crediting(title: Title, *rows: tuple[str, str, str], **more: object) -> Any:
    return {
        "revision": title.revision,
        "name": [row[0] for row in rows],
        "job": [row[1] for row in rows],
        "character": [row[2] for row in rows],
        **more,
    }


def test_rows_of_the_cast_move_without_a_script_and_are_kept(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready")
    path = f"/studio/titles/{title.slug}/credits"
    rows = (("Ada", "actor", "Ines"), ("", "actor", ""), ("Bob", "director", ""))

    moved = client.post(path, data=_crediting(title, *rows, act="up-1")).text
    dropped = client.post(path, data=_crediting(title, *rows, act="drop-0")).text
    for odd in ("up-99", "down-x", "explode", "drop--1"):
        assert client.post(path, data=_crediting(title, *rows, act=odd)).status_code
    assert moved.index('value="Bob"') < moved.index('value="Ada"')
    assert 'value="Ada"' not in dropped
    assert credits.of_title(db, title.id) == ()

    client.post(path, data=_crediting(title, *rows, act="save"))
    assert [each.name for each in credits.of_title(db, title.id)] == ["Ada", "Bob"]
    stale = client.post(path, data=_crediting(title, ("Eve", "writer", "")))
    assert stale.status_code == 409
    assert 'value="Eve"' in stale.text
    assert "Stored meanwhile" in stale.text
    wrong = client.post(
        path,
        data=_crediting(titles.by_id(db, title.id), (f"{_EVIL}x" * 9, "actor", "")),
    )
    assert wrong.status_code == 400
    assert "<script>alert" not in wrong.text


def test_people_are_suggested_to_whoever_types_a_name(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    for _twice in range(2):
        people.add(db, SYSTEM, "Jane Doe")
    people.add(db, SYSTEM, "Ada Byron")
    sign_in(client, Role.CONTRIBUTOR)

    found = client.get("/studio/people.json?q=jane").get_json()

    assert [each["name"] for each in found] == [
        "Jane Doe (jane-doe)",
        "Jane Doe (jane-doe-2)",
    ]
    assert client.get("/studio/people.json").get_json() == []


def test_a_title_is_translated_and_what_is_missing_is_marked(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready", language="en")
    path = f"/studio/titles/{title.slug}/translations"
    page = client.get(path).text
    assert "4 languages are missing" in page

    client.post(
        path,
        data={
            "revision": title.revision,
            "language": ["de", "it"],
            "name-de": "Obstgarten",
            "synopsis-de": "",
            "name-it": "Frutteto",
            "synopsis-it": "Alberi.",
        },
    )

    assert translations.of_title(db, title.id) == {
        "de": Translation("Obstgarten"),
        "it": Translation("Frutteto", "Alberi."),
    }
    page = client.get(path).text
    assert "3 languages are missing" in page
    assert "In part" in page
    assert 'dir="rtl"' in page
    assert "pt-BR" in client.get(f"{path}?add=pt-BR").text
    stale = client.post(
        path, data={"revision": 1, "language": ["de"], "name-de": "Anders"}
    )
    assert stale.status_code == 409
    assert "<q>Obstgarten</q>" in stale.text
    assert 'value="Anders"' in stale.text
    bad = client.post(
        path,
        data={"revision": title.revision + 1, "language": ["x" * 30], "name-x": "y"},
    )
    assert bad.status_code == 400


def test_a_picture_is_cut_around_where_somebody_presses(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready")
    path = f"/studio/titles/{title.slug}"
    _upload(client, f"{path}/artwork", _png(), kind="poster")
    poster = titles.by_id(db, title.id).poster
    page = client.get(f"{path}/artwork").text
    assert f"/studio/titles/{title.slug}/pictures/{poster}/source.jpg" in page
    assert "How it looks" in page
    with client.get(f"{path}/pictures/{poster}/source.jpg") as source:
        assert Image.open(io.BytesIO(source.data)).size == (1280, 720)

    pressed = {"across": "320", "down": "180", "at.x": "320", "at.y": "45"}
    client.post(f"{path}/pictures/{poster}/focus", data=pressed)

    cut = artwork.shown(db, title.id, artwork.ArtworkKind.POSTER)
    assert cut is not None
    assert (cut.focal_x, cut.focal_y) == (1.0, 0.25)
    assert cut.public_id != poster
    typed = {"left": "101", "top": "50"}
    again = client.post(f"{path}/pictures/{cut.public_id}/focus", data=typed)
    assert again.status_code == 400
    gone = client.post(f"{path}/pictures/{poster}/focus", data=pressed)
    assert gone.status_code == 404
    for odd in ({}, {"left": "nan", "top": "1"}, {"left": "x", "top": "y"}):
        refused = client.post(f"{path}/pictures/{cut.public_id}/focus", data=odd)
        assert refused.status_code == 400
    client.post(f"{path}/pictures/{cut.public_id}/remove")
    assert titles.by_id(db, title.id).poster is None


def test_a_logo_stays_clear(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="published")
    image = Image.new("RGBA", (800, 400))
    ImageDraw.Draw(image).ellipse((100, 100, 699, 299), "white")
    file = io.BytesIO()
    image.save(file, "PNG")
    file.seek(0)

    _upload(client, f"/studio/titles/{title.slug}/artwork", file, kind="logo")

    logo = titles.by_id(db, title.id).logo
    for ending in ("avif", "webp", "png"):
        with client.get(f"/artwork/{logo}/320.{ending}") as answer:
            shown = Image.open(io.BytesIO(answer.data))
            assert shown.has_transparency_data or shown.mode == "RGBA"
            assert shown.size == (320, 107)
    assert 'alt="Orchard"' in client.get(f"/title/{title.slug}").text


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a<script>alert(1)</script>",
        b"\xff\xd8\xff\xe0<?php echo 1;",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    ],
)
def test_a_hostile_picture_is_refused_and_leaves_nothing(
    client: FlaskClient,
    sign_in: SignIn,
    make: Builders,
    db: Database,
    content: bytes,
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready")

    answer = _upload(
        client,
        f"/studio/titles/{title.slug}/artwork",
        io.BytesIO(content),
        kind="logo",
    )

    assert answer.status_code == 400
    assert "JPEG, PNG or WebP" in answer.text
    assert db.value("select count(*) from artwork") == 0


def test_seasons_are_named_ordered_numbered_and_removed(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    whole = titles.create(db, SYSTEM, "Dark Water", kind="series")
    parts = [
        titles.create(
            *(db, SYSTEM, name), kind="episode", parent=whole.slug, episode_number=n
        )
        for name, n in (("A", 2), ("B", 5), ("C", 9))
    ]
    path = f"/studio/titles/{whole.slug}/seasons"

    def numbers() -> list[tuple[str, int | None]]:
        (season,) = series.seasons(db, SYSTEM, titles.by_id(db, whole.id))[:1]
        return [(each.name, each.episode_number) for each in season.episodes]

    def order(**data: object) -> TestResponse:
        revision = titles.by_id(db, whole.id).revision
        return client.post(f"{path}/order", data={"revision": revision, **data})

    order(act="number-1")
    assert numbers() == [("A", 1), ("B", 2), ("C", 3)]
    order(act=f"down-{parts[0].slug}")
    assert numbers() == [("B", 1), ("A", 2), ("C", 3)]
    order(act=f"up-{parts[1].slug}")
    twice = order(
        act="save",
        **{f"season-{each.slug}": "1" for each in parts},
        **{f"number-{each.slug}": "7" for each in parts},
    )
    assert twice.status_code == 400
    assert "Two episodes" in twice.text
    assert 'value="7"' in twice.text
    for text in ("x", "-1", "1e9", "9" * 50):
        odd = {f"season-{parts[0].slug}": text, f"number-{parts[0].slug}": "1"}
        assert order(act="save", **odd).status_code == 400
    assert numbers() == [("B", 1), ("A", 2), ("C", 3)]
    assert client.post(f"{path}/order", data={"revision": 1}).status_code == 409

    client.post(path, data={"number": "2", "name": "Winter"})
    saved = _upload(
        client, f"{path}/2", _png((600, 900)), revision=1, name="Ice", year="2024"
    )
    assert saved.status_code == 302
    season = series.season(db, SYSTEM, titles.by_id(db, whole.id), 2)
    assert (season.name, season.year) == ("Ice", 2024)
    assert season.poster is not None
    assert f"/artwork/{season.poster}/320.jpg" in client.get(path).text
    bad = client.post(f"{path}/2", data={"revision": 3, "name": "X", "year": "soon"})
    assert bad.status_code in (400, 409)
    stale = client.post(f"{path}/2", data={"revision": 1, "name": "Spring"})
    assert stale.status_code == 409
    assert 'value="Spring"' in stale.text
    client.post(f"{path}/2", data={"act": "remove"})
    assert len(series.seasons(db, SYSTEM, titles.by_id(db, whole.id))) == 1
    film = titles.create(db, SYSTEM, "A Film")
    assert client.get(f"/studio/titles/{film.slug}/seasons").status_code == 404


def test_people_are_added_described_pictured_and_removed(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    titles.create(db, SYSTEM, "A Film", credits=[{"name": "Ada Byron"}])
    path = "/studio/people/ada-byron"

    assert "Ada Byron" in client.get("/studio/people").text
    assert "Nobody is called so" in client.get("/studio/people?q=zzz").text
    assert client.post("/studio/people", data={"name": ""}).status_code == 400
    form = {"revision": 1, "name": "Ada Byron", "biography": _EVIL}
    assert client.post(path, data=form).status_code == 302
    stale = client.post(path, data={**form, "biography": "Mine"})
    assert stale.status_code == 409
    assert "Mine</textarea>" in stale.text
    assert "<script>alert" not in stale.text
    _upload(client, f"{path}/portrait", _png((300, 400)))
    portrait = people.by_slug(db, "ada-byron").portrait
    assert f"/portrait/{portrait}/160.avif" in client.get(path).text
    refused = _upload(client, f"{path}/portrait", io.BytesIO(b"no picture"))
    assert refused.status_code == 400
    client.post(f"{path}/portrait", data={"act": "drop"})
    assert people.by_slug(db, "ada-byron").portrait is None
    assert "The credits of one title" in client.get(f"{path}/remove").text
    client.post(f"{path}/remove")
    assert people.count(db) == 0


def test_contributors_describe_their_own_titles_only(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    theirs = make.title("Theirs", state="published")
    actor = sign_in(client, Role.CONTRIBUTOR)
    mine = titles.create(db, actor, "Mine", kind="series")

    for part in ("", "/credits", "/translations", "/artwork"):
        assert client.get(f"/studio/titles/{theirs.slug}{part}").status_code == 403
        assert client.get(f"/studio/titles/{mine.slug}{part}").status_code == 200
    assert client.get("/studio/people").status_code == 403
    stolen = {"name": "x", "kind": "trailer", "parent": theirs.slug}
    assert client.post("/studio/new", data=stolen).status_code == 403
