"""What players are told besides the film: transcripts, episodes, what comes next."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from appliance.accounts import profiles
from appliance.captions.description import Description
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.media import captions
from appliance.objects import Stores
from appliance.permissions import SYSTEM, Actor
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders

SignIn = Callable[..., Actor]
_SRT = """1
00:00:01,000 --> 00:00:03,500
<i>The trees</i> remember
more &amp; more

2
00:00:03,500 --> 00:00:05,000
<i>The trees</i> remember
more &amp; more

3
00:00:06,000 --> 00:00:08,000
than people do
"""


@pytest.fixture
def film(db: Database, settings: Settings, storage: Storage, make: Builders) -> Title:
    """A film with captions in German, French and, the last, in English."""
    title = make.title("Solaris")
    make.asset(title, heights=(234,), captions=("de", "fr"))
    stores = Stores(storage, settings)
    described = Description.of("en")
    captions.add(db, stores, SYSTEM, title.slug, _SRT.encode(), described)
    return title


def test_a_transcript_has_times_and_words_without_markup(
    client: FlaskClient, sign_in: SignIn, film: Title
) -> None:
    sign_in(client)

    told = client.get(f"/api/v1/titles/{film.slug}/transcript?language=en").get_json()

    assert told["language"] == "en"
    assert told["auto"] is False
    assert {each["language"] for each in told["languages"]} == {"de", "en", "fr"}
    assert told["cues"] == [
        {"start": 1.0, "end": 5.0, "text": "The trees remember more & more"},
        {"start": 6.0, "end": 8.0, "text": "than people do"},
    ]


@pytest.mark.parametrize(
    ("asked", "told"), [("fr-CA", "fr"), ("", "de"), ("sv", "de"), ("x" * 35, "de")]
)
def test_another_language_takes_the_place_of_one_that_there_is_not(
    client: FlaskClient, sign_in: SignIn, film: Title, asked: str, told: str
) -> None:
    sign_in(client)

    answer = client.get(
        f"/api/v1/titles/{film.slug}/transcript", query_string={"language": asked}
    )

    assert answer.get_json()["language"] == told


def test_a_film_without_captions_has_no_transcript(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client)
    silent, draft = make.title("Silent"), make.title("Unready")
    make.asset(silent, heights=(234,))

    for title in (silent, draft):
        answer = client.get(f"/api/v1/titles/{title.slug}/transcript")
        assert answer.status_code == 404
        assert answer.get_json()["code"] == "transcript.missing"


def test_who_may_not_watch_may_not_read(
    client: FlaskClient, sign_in: SignIn, db: Database, film: Title
) -> None:
    sign_in(client)
    db.conn.execute("update titles set rating = '18', age = 18")
    db.conn.execute("update profiles set rating_limit = 12")
    db.conn.commit()
    by_age = client.get(f"/api/v1/titles/{film.slug}/transcript")

    db.conn.execute("update profiles set rating_limit = null")
    db.conn.commit()
    db.conn.execute("delete from entitlements")
    db.conn.commit()
    by_right = client.get(f"/api/v1/titles/{film.slug}/transcript")

    assert by_age.status_code == 404
    assert by_right.status_code == 403
    assert by_right.get_json()["code"] == "playback.refused"


def test_nobody_signed_in_reads_nothing(client: FlaskClient, film: Title) -> None:
    for what in ("transcript", "around"):
        assert client.get(f"/api/v1/titles/{film.slug}/{what}").status_code == 401


def test_a_player_learns_what_lies_around_an_episode(
    client: FlaskClient, sign_in: SignIn, serial: tuple[Title, Title, Title]
) -> None:
    sign_in(client)
    series, first, second = serial

    told = client.get(f"/api/v1/titles/{first.slug}/around").get_json()

    assert told["title"]["label"] == "S1 E1"
    assert told["whole"]["slug"] == series.slug
    assert told["previous"] is None
    assert (told["next"]["slug"], told["next"]["name"]) == (second.slug, second.name)


def test_playing_a_series_plays_the_episode_that_comes_next(
    client: FlaskClient, sign_in: SignIn, serial: tuple[Title, Title, Title]
) -> None:
    sign_in(client)
    series, first, _ = serial

    answer = client.get(f"/watch/{series.slug}")

    assert (answer.status_code, answer.location) == (302, f"/watch/{first.slug}")


def test_a_series_without_a_film_leads_to_its_page(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client)
    series = make.title("Still being shot", kind="series")

    assert client.get(f"/watch/{series.slug}").location == f"/title/{series.slug}"


def test_the_panel_lists_the_episodes_and_marks_the_one_that_plays(
    client: FlaskClient, sign_in: SignIn, serial: tuple[Title, Title, Title]
) -> None:
    sign_in(client)
    _, first, second = serial

    text = client.get(f"/watch/{second.slug}/episodes").text

    assert text.index(first.slug) < text.index(second.slug)
    assert text.count('aria-current="true"') == 1
    assert "Playing" in text


def test_a_film_has_no_episodes(
    client: FlaskClient, sign_in: SignIn, film: Title
) -> None:
    sign_in(client)

    assert client.get(f"/watch/{film.slug}/episodes").status_code == 404


def test_after_a_film_others_of_its_genre_are_offered(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client)
    seen = make.title("Seen", genres=("Drama",))
    other = make.title("Other <b>", slug="other", genres=("Drama",))
    make.title("Elsewhere", genres=("Comedy",))

    text = client.get(f"/watch/{seen.slug}/after").text

    assert "Other &lt;b&gt;" in text
    assert f"/title/{other.slug}" in text
    assert "Elsewhere" not in text
    assert "Watch again" in text


def test_after_a_trailer_comes_what_it_is_of(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client)
    film = make.title("Solaris")
    make.asset(film, heights=(234,))
    trailer = make.title("A look", kind="trailer", parent_id=film.id)

    text = client.get(f"/watch/{trailer.slug}/after").text

    assert "Watch Solaris" in text
    assert f'data-episode="{film.slug}"' in text


def test_the_page_holds_what_the_profile_prefers_and_no_script_of_a_name(
    client: FlaskClient, sign_in: SignIn, db: Database, make: Builders
) -> None:
    viewer = sign_in(client)
    profiles.prefer(db, viewer, {"captions": "de", "speed": 1.5})
    title = make.title("'></script><script>alert(1)</script>", slug="odd")

    text = client.get(f"/watch/{title.slug}?from=12").text

    assert '"captions": "de"' in text
    assert '"start": 12' in text
    assert "<script>alert" not in text
    assert "data-told='{" in text


@pytest.fixture
def serial(make: Builders) -> tuple[Title, Title, Title]:
    """A series with two episodes that have films."""
    series = make.title("Harbour Lights", kind="series")
    first, second = (
        make.title(
            name,
            kind="episode",
            parent_id=series.id,
            season_number=1,
            episode_number=number,
        )
        for number, name in enumerate(("The Key", "The Ledger"), 1)
    )
    for each in (first, second):
        make.asset(each, heights=(234,))
    return series, first, second
