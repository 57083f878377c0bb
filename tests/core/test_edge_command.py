"""``matinee edge``: what it lists, copies and says; edges that answer are elsewhere."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from appliance.db import Database
from appliance.delivery import edge_secret, tokens, warming
from appliance.media import tracks
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import Matinee
from tests.doubles.server import Mood, Service, served


@pytest.fixture
def near() -> Iterator[Service]:
    """An edge that has one file already, and fetches the others."""

    def answer(request: Request) -> Response:
        had = "HIT" if request.path.endswith("manifest.mpd") else "MISS"
        return Response(b"x", headers={"X-Cache": had})

    with served(answer) as service:
        yield service


@pytest.fixture
def slug(make: Builders) -> str:
    title = make.title("Solaris")
    make.asset(title, languages=("en", "de"), captions=("de",))
    return title.slug


def _sites(monkeypatch: pytest.MonkeyPatch, *bases: str) -> None:
    names = ("north", "south")
    sites = ",".join(f"{n}={b}" for n, b in zip(names, bases, strict=False))
    monkeypatch.setenv("MATINEE_EDGE_SITES", sites)


def test_the_beginning_of_every_rendition_is_asked_for(
    db: Database, make: Builders
) -> None:
    asset = make.asset(languages=("en",), captions=("en",))
    shown = tracks.of_asset(db, asset.id)

    some, whole = list(warming.files(shown, 2)), list(warming.files(shown))

    assert len(set(some)) == len(some)
    assert {"master.m3u8", "manifest.mpd", "thumbnails.vtt"} <= set(some)
    assert set(some) < set(whole)
    for track in shown:
        assert f"hls/{track.public_id}.m3u8" in some
        segments = track.facts.get("segments", ())
        folder = f"tracks/{track.public_id}/"
        if segments:
            assert f"{folder}init.mp4" in some
            assert f"{folder}00002.m4s" in some
            assert f"{folder}00003.m4s" not in some
            assert f"{folder}{len(segments):05}.m4s" in whole
            assert f"{folder}{len(segments) + 1:05}.m4s" not in whole


def test_edges_are_warmed_with_a_token_of_its_own(
    matinee: Matinee,
    settings: Settings,
    db: Database,
    near: Service,
    slug: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _sites(monkeypatch, near.url)

    told = matinee("edge", "warm", slug, "--segments", "1", "--json")

    assert told.exit_code == 0, told.output
    (done,) = json.loads(told.stdout)
    assert (done["edge"], done["title"], done["had"], done["failed"]) == (
        "north",
        slug,
        1,
        0,
    )
    asked = [each.path.split("/", 4) for each in near.seen]
    assert done["fetched"] == len(asked) - 1
    (token,) = {each[2] for each in asked}
    held = tokens.check_media(
        tokens.load(settings.keys), token, asked[0][3], db.clock.now()
    )
    assert held.scope == "all"
    assert db.value("select count(*) from playback_sessions") == 0
    assert token not in told.output


def test_a_dead_edge_is_said_and_the_others_are_warmed(
    matinee: Matinee, near: Service, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sites(monkeypatch, "http://127.0.0.1:9", near.url)

    told = matinee("edge", "warm", slug, "--segments", "1", "--json")

    assert told.exit_code == 1
    north, south = json.loads(told.stdout)
    assert (north["fetched"], north["had"]) == (0, 0)
    assert north["failed"] > 5
    assert "The edge north cannot be reached" in north["trouble"]
    assert (south["failed"], south["trouble"]) == (0, "")


def test_an_edge_that_refuses_is_said(
    matinee: Matinee, near: Service, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sites(monkeypatch, near.url)
    near.mood = Mood.REFUSES

    told = matinee("edge", "warm", slug, "--segments", "1", "--json")

    (done,) = json.loads(told.stdout)
    assert told.exit_code == 1
    assert done["trouble"] == "answered with 403"


def test_what_is_not_there_is_said(
    matinee: Matinee, make: Builders, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "edge.sites" in matinee("edge", "warm", slug).output
    assert "edge.sites" in matinee("edge", "list").output
    _sites(monkeypatch, "https://a.example", "https://b.example")
    empty = make.title("Empty").slug
    wrong = matinee("edge", "warm", slug, "--edge", "east")

    assert wrong.exit_code == 4
    assert "north, south" in wrong.output
    assert matinee("edge", "warm", "no-such-film").exit_code == 4
    assert matinee("edge", "warm", empty).exit_code == 3


def test_edges_are_listed_with_their_networks(
    matinee: Matinee, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = "berlin=https://a.example[10.1.0.0/16 fd00::/8],all=https://b.example"
    monkeypatch.setenv("MATINEE_EDGE_SITES", sites)

    found = json.loads(matinee("edge", "list", "--json").stdout)

    assert found == [
        {
            "name": "berlin",
            "address": "https://a.example",
            "networks": ["10.1.0.0/16", "fd00::/8"],
        },
        {"name": "all", "address": "https://b.example", "networks": []},
    ]
    assert "everybody" in matinee("edge", "list").stdout


def test_an_edge_is_given_the_keys_of_tokens_and_its_secret_and_no_others(
    matinee: Matinee, settings: Settings, tmp_path: Path
) -> None:
    tokens.rotate(settings.keys)
    tokens.rotate(settings.keys)
    (settings.keys / "content-1.key").write_text("ab" * 32)
    folder = tmp_path / "for-berlin"

    told = matinee("edge", "keys", "--to", str(folder))

    assert told.exit_code == 0, told.output
    assert sorted(each.name for each in folder.iterdir()) == [
        "edge-secret-1.key",
        "media-1.key",
        "media-2.key",
        "next-media-3.key",
    ]
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for each in folder.iterdir():
        assert each.read_text().strip() not in told.output
    again = matinee("edge", "keys", "--to", str(folder))
    assert again.exit_code != 0
    assert "not empty" in again.output


def test_an_edge_that_was_brought_the_keys_knows_the_next_one(
    matinee: Matinee, settings: Settings, tmp_path: Path
) -> None:
    matinee("edge", "keys", "--to", str(tmp_path / "brought"))

    rotated = matinee("key", "rotate", "media", "--yes")

    assert rotated.exit_code == 0, rotated.output
    ours, brought = tokens.load(settings.keys), tokens.to_check(tmp_path / "brought")
    assert ours.secrets[ours.current] == brought.secrets[ours.current]


def test_two_secrets_count_while_one_takes_over(
    matinee: Matinee, settings: Settings, db: Database
) -> None:
    known = []
    for _ in range(3):
        matinee("edge", "keys", "--rotate")
        known.append(edge_secret.known(settings.keys))

    first, second, third = known
    assert [len(each) for each in known] == [1, 2, 2]
    assert second[1] == first[0]
    assert third[1] == second[0]
    assert len(list(settings.keys.glob("edge-secret-*.key"))) == 2
    assert edge_secret.files(settings.keys)[0].name == "edge-secret-3.key"
    rows = db.rows("select subject from events where name = 'key:rotate'")
    assert [each["subject"] for each in rows] == [
        f"edge-secret/{number}" for number in (1, 2, 3)
    ]
