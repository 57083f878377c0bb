"""A child's profile reaches nothing that is for adults: by no address there is."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from appliance.accounts import sessions, tokens
from appliance.accounts.profiles import Profile
from appliance.db import Database
from appliance.playback import sessions as playback
from appliance.playback import switching
from appliance.playback.descriptor import Descriptor
from appliance.settings import Settings
from tests.builders import Builders
from tests.portal import at_the_door, hidden
from tests.portal.hidden import ACCOUNT_PIN, FOR_ADULTS, PARENT_PIN, House
from web import guard

# What everybody may open, and what would end or change the session that walks.
_LEFT_OUT = ("static", "auth.logout", "openapi")
_QUERY = (
    "q=quillborn&title={slug}&genre=horror&tag=tense&person=jo-doe&language=en"
    "&limit=100&user=ada&from=0&profile={parent}&kind=film"
)


@dataclass(frozen=True)
class Walker:
    """A browser with a session of the account, and what it puts into addresses."""

    client: FlaskClient
    house: House
    pools: Mapping[str, Sequence[str]]

    def addresses(self, app: Flask, methods: set[str]) -> Iterator[tuple[str, str]]:
        """Yield every address of the application, with everything hidden in it."""
        for rule in app.url_map.iter_rules():
            if rule.endpoint.endswith(_LEFT_OUT) or rule.rule.startswith("/internal"):
                continue
            for method in sorted(methods & (rule.methods or set())):
                for path in self._paths(rule):
                    yield method, path

    def ask(self, method: str, path: str) -> TestResponse:
        answer = self._asked(method, path)
        answer.get_data()
        answer.close()
        return answer

    def _asked(self, method: str, path: str) -> TestResponse:
        slug = self.house.slugs[0]
        query = _QUERY.format(slug=slug, parent=self.house.parent.public_id)
        if method == "GET":
            return self.client.get(f"{path}?{query}")
        body = {
            "title": slug,
            "profile": self.house.parent.public_id,
            "name": "Bo",
            "pin": "0000",
            "position": 3,
            "value": 1,
            "seq": 1,
        }
        if path.startswith("/api/"):
            return self.client.open(path, method=method, json=body)
        return self.client.open(path, method=method, data=body)

    def _paths(self, rule: Rule) -> Iterator[str]:
        names = sorted(rule.arguments)
        pools = [self.pools.get(name, ("1",)) for name in names]
        if rule.rule.startswith("/studio"):
            pools = [pool[:1] for pool in pools]
        for values in itertools.product(*pools):
            path = rule.rule
            for name, value in zip(names, values, strict=True):
                path = _filled(path, name, value)
            yield path


def _filled(path: str, name: str, value: str) -> str:
    before, _, rest = path.partition("<")
    while rest:
        inside, _, after = rest.partition(">")
        if inside.rpartition(":")[2] == name:
            return f"{before}{quote(value)}{after}"
        further, mark, rest = after.partition("<")
        before += f"<{inside}>{further}"
        if not mark:
            break
    return before


@pytest.fixture
def house(make: Builders, tmp_path: Path) -> House:
    return hidden.furnished(make, tmp_path)


def _signed_in(
    db: Database, settings: Settings, client: FlaskClient, house: House, who: Profile
) -> Any:
    """Sign in, say who watches with the PINs that takes, and return who acts."""
    token, signed_in = sessions.start(
        db, settings, house.parent.account_id, address="127.0.0.1", user_agent="test"
    )
    switching.switch(
        db,
        settings,
        signed_in.actor("127.0.0.1"),
        who.public_id,
        pin=PARENT_PIN,
        account_pin=ACCOUNT_PIN,
    )
    client.set_cookie(guard.COOKIE, token)
    again = sessions.resolve(db, settings, token)
    assert again is not None
    return again.actor("127.0.0.1")


@pytest.fixture
def of_parent(
    db: Database, settings: Settings, app: Flask, house: House
) -> tuple[Any, Descriptor]:
    """A parent who plays the 18 film on another device."""
    actor = _signed_in(db, settings, app.test_client(), house, house.parent)
    return actor, playback.open(db, settings, actor, title=house.slugs[0])


@pytest.fixture
def child(
    db: Database,
    settings: Settings,
    client: FlaskClient,
    house: House,
    of_parent: tuple[Any, Descriptor],
) -> Walker:
    actor = _signed_in(db, settings, client, house, house.child)
    own = playback.open(db, settings, actor, title=house.shown.title.slug)
    return _walker(db, client, house, own.media_token, of_parent[1].session)


def _walker(
    db: Database, client: FlaskClient, house: House, token: str, session: str
) -> Walker:
    tracks = db.rows(
        "select public_id from tracks where asset_id = ?", (house.films[0].id,)
    )
    files = [f"tracks/{row['public_id']}/00001.m4s" for row in tracks]
    return Walker(
        client,
        house,
        {
            "slug": (*house.slugs, "all-of-it", "jo-doe", "tense", "horror"),
            "public_id": (*house.pictures, house.parent.public_id),
            "asset": [each.public_id for each in house.films],
            "track": [row["public_id"] for row in tracks],
            "name": ("master.m3u8", "manifest.mpd", "thumbnails.vtt", "p1", *files),
            "kid": [each.kid for each in house.keys.keys],
            "token": (token, "0"),
            "session": (session,),
            "username": ("ada",),
            "width": ("640",),
            "number": ("1",),
            "ending": ("jpg",),
            "kind": ("imprint",),
            "act": ("publish",),
            "format": ("vtt",),
            "key": ("new", "0123456789abcdef", "genre-horror", "my-list", "continue"),
        },
    )


def _gives_away(answer: TestResponse) -> list[str]:
    return [each for each in FOR_ADULTS if each.encode() in answer.data]


def test_no_address_shows_a_child_anything_for_adults(
    app: Flask, child: Walker
) -> None:
    walked = 0
    for method, path in child.addresses(app, {"GET"}):
        answer = child.ask(method, path)
        assert not _gives_away(answer), (path, answer.status_code)
        assert answer.status_code < 500, path
        pictured = [each for each in child.house.pictures if each in path]
        assert not pictured or answer.status_code in (403, 404), path
        shown = answer.text if answer.mimetype == "text/html" else ""
        assert not any(each in shown for each in child.house.pictures), path
        walked += 1
    assert walked > 300


def test_an_adult_meets_all_of_it_on_the_same_walk(
    app: Flask,
    db: Database,
    settings: Settings,
    client: FlaskClient,
    house: House,
    of_parent: tuple[Any, Descriptor],
) -> None:
    _actor, playing = of_parent
    _signed_in(db, settings, client, house, house.parent)
    adult = _walker(db, client, house, playing.media_token, playing.session)
    opened = set()
    for method, path in adult.addresses(app, {"GET"}):
        if path.startswith("/studio/import"):
            continue
        if _gives_away(adult.ask(method, path)):
            opened.add("/".join(path.split("/")[:2]))
            opened.add("/".join(path.split("/")[:4]))

    assert opened >= {
        *("/", "/title", "/watch", "/search", "/new", "/browse", "/preview", "/genre"),
        *("/collection", "/tag", "/person", "/media", "/studio"),
        *("/api/v1/titles", "/api/v1/playback"),
    }


def test_nothing_a_child_sends_reaches_what_is_for_adults(
    app: Flask, child: Walker, db: Database
) -> None:
    marks = "select count(*) from {} where title_id != ?"
    tables = ("my_list", "thumbs")
    before = [db.value(marks.format(each), (0,)) for each in tables]
    progress = db.rows("select * from progress order by profile_id, asset_id")

    for method, path in child.addresses(app, {"POST", "PUT", "PATCH", "DELETE"}):
        if "auth/token" in path or path == "/login":
            continue
        answer = child.ask(method, path)
        assert not _gives_away(answer), (method, path, answer.status_code)
        assert answer.status_code < 500, (method, path)
        assert b'"media_token":"' not in answer.data.replace(b" ", b""), path

    assert db.value("select kids from profiles where name = 'Bo'") == 1
    names = db.rows("select name from profiles order by id")
    assert [row["name"] for row in names] == ["ada", "Bo"]
    after = [db.value(marks.format(each), (0,)) for each in tables]
    assert all(now <= then for now, then in zip(after, before, strict=True))
    hidden_films = {each.id for each in child.house.films}
    assert [row for row in progress if row["asset_id"] in hidden_films] == [
        row
        for row in db.rows("select * from progress order by profile_id, asset_id")
        if row["asset_id"] in hidden_films
    ]
    # It is still the child that holds the session.
    assert child.client.get("/account").status_code == 403


@pytest.mark.parametrize("number", range(5))
def test_a_child_opens_no_film_for_adults(child: Walker, number: int) -> None:
    house, client = child.house, child.client
    film = house.films[number]
    title = next(each for each in house.hidden if each.id == film.title_id)
    for body in (
        {"title": title.slug},
        {"asset": film.public_id},
        {"asset": film.public_id, "profile": house.parent.public_id},
        {"title": title.slug, "preview": True},
    ):
        answer = client.post("/api/v1/playback", json=body)
        assert answer.status_code == 404, answer.text


def test_a_child_does_not_watch_as_somebody_else(child: Walker) -> None:
    answer = child.client.post(
        "/api/v1/playback",
        json={
            "title": child.house.shown.title.slug,
            "profile": child.house.parent.public_id,
        },
    )

    assert (answer.status_code, answer.get_json()["code"]) == (403, "profile.locked")


def test_a_child_learns_that_a_parent_watches_and_not_what(child: Walker) -> None:
    playing = child.client.get("/api/v1/playback").get_json()["active"]

    assert {(each["title"], each["name"]) for each in playing} == {
        ("", "ada"),
        (child.house.shown.title.slug, "The Little Mole"),
    }


def test_a_child_gets_no_tokens_for_the_stream_of_a_parent(
    child: Walker, of_parent: tuple[Any, Descriptor]
) -> None:
    session = of_parent[1].session

    answer = child.client.post(
        f"/api/v1/playback/{session}/heartbeat", json={"seq": 9, "position": 1}
    )

    assert answer.status_code == 404


def test_the_tokens_of_a_child_open_its_own_film_alone(
    child: Walker, db: Database, settings: Settings
) -> None:
    house, client = child.house, child.client
    opened = client.post(
        "/api/v1/playback", json={"title": house.shown.title.slug}
    ).get_json()
    own, foreign = house.shown.asset.public_id, house.keys.asset.public_id
    media, kid = opened["media_token"], house.keys.keys[0].kid

    assert client.get(f"/media/{media}/{own}/master.m3u8").status_code == 200
    assert client.get(f"/media/{media}/{foreign}/master.m3u8").status_code == 403
    assert client.get(f"/media/{media}/{foreign}/key/{kid}").status_code == 403
    assert client.get(f"/media/{media}/{own}/key/{kid}").status_code == 403
    refused = at_the_door.ask(client, opened["token"], at_the_door.asking(kid))
    assert refused.status_code == 403


def test_what_a_parent_played_on_the_device_ends_when_a_child_takes_it(
    db: Database, settings: Settings, client: FlaskClient, house: House
) -> None:
    actor = _signed_in(db, settings, client, house, house.parent)
    playing = playback.open(db, settings, actor, title=house.slugs[0])
    kid = house.keys.keys[0].kid
    assert at_the_door.ask(client, playing.token, at_the_door.asking(kid)).status_code

    taken = client.post(f"/profiles/{house.child.public_id}/open")

    # Nor does the browser go on keeping the pictures that were looked at.
    assert taken.headers["Clear-Site-Data"] == '"cache"'
    licence = at_the_door.ask(client, playing.token, at_the_door.asking(kid))
    assert (licence.status_code, licence.get_json()["reason"]) == (410, "switched")
    key = client.get(
        f"/media/{playing.media_token}/{house.keys.asset.public_id}/key/{kid}"
    )
    assert key.status_code == 410
    beat = client.post(
        f"/api/v1/playback/{playing.session}/heartbeat", json={"seq": 2, "position": 1}
    ).get_json()
    assert beat["stop_reason"] == "switched"
    assert (beat["media_token"], beat["token"]) == (None, None)


def test_the_child_of_an_administrator_has_no_studio_and_no_account(
    app: Flask, child: Walker
) -> None:
    for path in (
        *("/studio/", "/studio/upload", "/account", "/account/totp"),
        *("/profiles/new", "/profiles/manage", "/history/clear", "/api/v1/jobs"),
    ):
        assert child.client.get(path).status_code == 403, path
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/account", "/studio", "/api/v1/account")):
            path = rule.rule.replace("<", "").replace(">", "").replace("int:", "")
            method = min((rule.methods or set()) - {"HEAD", "OPTIONS"}, default="")
            if method and "any(" not in path:
                answer = child.client.open(path, method=method)
                assert answer.status_code in (403, 404), path
    page = child.client.get("/").text
    assert "data-kids" in page
    assert 'href="/studio/' not in page
    assert 'href="/account"' not in page


def test_a_child_makes_no_token_of_somebody_else(child: Walker) -> None:
    wish = {"name": "Mine", "scopes": ["portal:see", "playback:open"], "days": 1}

    assert child.client.post("/api/v1/tokens", json=wish).status_code == 403
    assert child.client.post("/account/tokens", data=wish).status_code == 403


def test_a_token_sees_what_the_profile_sees_that_made_it(
    db: Database, make: Builders
) -> None:
    young = make.actor()
    db.conn.execute(
        "update profiles set rating_limit = 6 where id = ?", (young.profile_id,)
    )
    db.conn.execute(
        "insert into profiles (public_id, account_id, name, created_at)"
        " values ('p9', ?, 'Older', '')",
        (young.account_id,),
    )

    text, _made = tokens.create(db, young, young.username, "Mine", ["portal:see"], 1)

    signed_in = sessions.resolve(db, make.settings, text)
    assert signed_in is not None
    assert signed_in.rating_limit == 6


def test_a_child_leaves_with_the_pins_alone(child: Walker) -> None:
    house, client = child.house, child.client
    address = f"/profiles/{house.parent.public_id}/open"

    assert client.post(address).status_code == 400
    assert client.post(address, data={"pin": PARENT_PIN}).status_code == 400
    assert client.post(address, data={"account_pin": ACCOUNT_PIN}).status_code == 400
    right = {"pin": PARENT_PIN, "account_pin": ACCOUNT_PIN}
    assert client.post(address, data=right).status_code == 303
    assert client.get("/studio/").status_code == 200


def test_a_limit_that_is_set_counts_for_what_plays_already(
    db: Database,
    settings: Settings,
    client: FlaskClient,
    house: House,
    of_parent: tuple[Any, Descriptor],
) -> None:
    playing = of_parent[1]
    kid = house.keys.keys[0].kid
    db.conn.execute(
        "update profiles set rating_limit = 16 where id = ?", (house.parent.id,)
    )

    answer = at_the_door.ask(client, playing.token, at_the_door.asking(kid))

    assert answer.status_code == 403
    assert answer.get_json()["reasons"] == ["rating-too-high"]


def test_an_episode_without_a_rating_counts_as_its_series(
    db: Database, settings: Settings, house: House, of_parent: tuple[Any, Descriptor]
) -> None:
    part = house.hidden[2]
    actor, _playing = of_parent
    db.conn.execute(
        "update profiles set rating_limit = 16 where id = ?", (house.parent.id,)
    )

    with pytest.raises(Exception, match="not for the age"):
        playback.open(db, settings, actor, title=part.slug)
