"""The pages for viewers, as HTML: what they show, to whom, and what they refuse."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image

from appliance.catalog import artwork
from appliance.catalog.titles import Title
from appliance.media import assets
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import progress
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import SignIn


def test_nobody_signed_in_is_led_to_the_sign_in_page_and_back(
    client: FlaskClient, make: Builders
) -> None:
    title = make.title()

    for path in ("/", f"/title/{title.slug}", f"/watch/{title.slug}", "/search?q=x"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer.location.startswith("/login?next=%2F")


def test_an_empty_library_tells_each_role_what_to_do(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.VIEWER)
    assert "as soon as they are published" in client.get("/").text

    sign_in(client, Role.CONTRIBUTOR)
    assert "Upload a film" in client.get("/").text


def test_home_shows_the_newest_in_large_and_rows_of_genres(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    for name in ("Tide tables", "The Quiet Harbour"):
        make.title(name, genres=("Nature",), runtime_seconds=5400.0)
    make.title("Not yet", state="draft", genres=("Nature",))
    sign_in(client)

    page = client.get("/").text

    assert _headings(page) == ["New in the library", "Nature"]
    assert "1 h 30 min" in page
    assert "Not yet" not in page


def test_continue_watching_shows_what_is_left_and_plays_at_once(
    client: FlaskClient, make: Builders, sign_in: SignIn, settings: Settings
) -> None:
    title = make.title("Night Train North")
    actor = sign_in(client)
    _watch(make, settings, actor, title, 1200, of=3600)

    page = client.get("/").text

    assert _headings(page)[0] == "Continue watching"
    assert "40 min left" in page
    assert f'href="/watch/{title.slug}"' in page
    assert "33 % watched" in page


def test_a_card_is_hidden_and_shown_again_by_form_and_by_script(
    client: FlaskClient, make: Builders, sign_in: SignIn, settings: Settings
) -> None:
    title = make.title()
    actor = sign_in(client)
    _watch(make, settings, actor, title, 1200, of=3600)

    answer = client.post(f"/continue/{title.slug}/hide")
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Continue watching" not in client.get("/").text

    answer = client.post(
        f"/continue/{title.slug}/show", headers={"Accept": "application/json"}
    )
    assert answer.status_code == 204
    assert "Continue watching" in client.get("/").text


def test_hiding_needs_the_form_token(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title()
    sign_in(client)
    client.environ_base.pop("HTTP_X_CSRFTOKEN")

    assert client.post(f"/continue/{title.slug}/hide").status_code == 403


def test_the_title_page_says_what_the_film_has(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title(
        "The Glass Orchard",
        genres=("Drama",),
        year=2026,
        rating="12",
        runtime_seconds=5400.0,
        synopsis="A botanist returns.",
    )
    make.asset(title, heights=(360, 720), languages=("en", "fr"), captions=("de",))
    sign_in(client)

    page = client.get(f"/title/{title.slug}").text

    for words in ("2026", "1 h 30 min", "A botanist returns.", ">HD<", ">CC<"):
        assert words in page
    facts = dict(re.findall(r"<dt>(\w+)</dt><dd>(.*?)</dd>", page))
    assert facts["Audio"] == "en, fr"
    assert facts["Subtitles"] == "de"
    assert 'href="/genre/drama"' in facts["Genres"]


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (None, "Play"),
        (60.0, "Play"),
        (2220.0, "Resume · 23 min left"),
        (3590.0, "Watch again"),
    ],
)
def test_the_one_button_says_what_pressing_it_does(
    client: FlaskClient,
    make: Builders,
    sign_in: SignIn,
    settings: Settings,
    position: float | None,
    words: str,
) -> None:
    title = make.title()
    actor = sign_in(client)
    _watch(make, settings, actor, title, position, of=3600)

    page = client.get(f"/title/{title.slug}").text

    button = re.search(r'class="btn play"[^>]*>.*?</svg>(.*?)<span', page, re.DOTALL)
    assert button is not None
    assert button.group(1) == words


def test_a_title_without_a_film_cannot_be_played_and_says_so(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title()
    sign_in(client)

    page = client.get(f"/title/{title.slug}").text

    assert "still being prepared" in page
    assert "btn play" not in page


def test_a_draft_is_seen_by_who_works_on_it_and_by_no_viewer(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title(state="draft")

    sign_in(client, Role.PUBLISHER)
    page = client.get(f"/title/{title.slug}").text
    assert "it is not published" in page
    assert f"/studio/titles/{title.slug}" in page

    sign_in(client, Role.VIEWER)
    assert client.get(f"/title/{title.slug}").status_code == 404
    assert client.get(f"/watch/{title.slug}").status_code == 404


def test_more_like_this_shows_others_of_the_genre(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title("Tide tables", genres=("Nature",))
    make.title("The Quiet Harbour", genres=("Nature",))
    make.title("Forklift refresher", genres=("Training",))
    sign_in(client)

    page = client.get(f"/title/{title.slug}").text

    assert _headings(page) == ["More like this"]
    assert "The Quiet Harbour" in page
    assert "Forklift refresher" not in page


def test_text_of_users_is_text_and_never_markup(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    evil = '<script>alert(1)</script>"><img src=x>'
    title = make.title("Evil", slug="evil", genres=(evil,), synopsis=evil)
    make.db.conn.execute("update titles set name = ?", (evil,))
    make.asset(title)
    sign_in(client)

    for path in ("/", "/title/evil", "/watch/evil", f"/search?q={evil}"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x>" not in page


def test_search_finds_says_how_many_and_offers_a_way_on(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    make.title("Café Müller")
    sign_in(client)

    assert "1 title for “cafe”" in client.get("/search?q=cafe").text
    assert "What would you like to watch?" in client.get("/search").text
    nothing = client.get("/search?q=zebra").text
    assert "Nothing found for “zebra”" in nothing
    assert "Browse the library" in nothing


def test_a_genre_is_shown_page_by_page(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    for number in range(50):
        make.title(f"Lesson {number}", genres=("Training",))
    sign_in(client)

    first, second = (client.get(f"/genre/training?page={n}").text for n in (1, 2))

    assert "50 titles" in first
    assert first.count('class="card"') == 48
    assert second.count('class="card"') == 2
    assert 'rel="next"' in first
    assert 'rel="prev"' in second
    assert client.get("/genre/nothing").status_code == 404
    assert client.get("/genre/training?page=-3").status_code == 200


def test_artwork_is_for_whoever_may_see_the_title_and_is_kept_by_the_browser(
    client: FlaskClient, make: Builders, sign_in: SignIn, tmp_path: Path
) -> None:
    title = make.title(state="draft")
    picture = tmp_path / "picture.png"
    Image.new("RGB", (1280, 720), "teal").save(picture)
    art = artwork.add(
        make.db, make.storage, SYSTEM, title.id, "backdrop", picture, origin="upload"
    )
    path = f"/artwork/{art.public_id}/640.jpg"

    assert client.get(path).status_code == 302
    sign_in(client, Role.VIEWER)
    assert client.get(path).status_code == 404
    sign_in(client, Role.PUBLISHER)
    with client.get(path) as answer:
        assert answer.mimetype == "image/jpeg"
        assert "private" in answer.headers["Cache-Control"]
        tag = answer.headers["ETag"]
    with client.get(path, headers={"If-None-Match": tag}) as again:
        assert again.status_code == 304


def test_the_mode_for_televisions_stays_until_it_is_switched_off(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client)

    assert 'data-mode="tv"' in client.get("/?tv=1").text
    assert 'data-mode="tv"' in client.get("/search").text
    assert 'data-mode="screen"' in client.get("/?tv=0").text
    assert 'data-mode="screen"' in client.get("/").text


def test_the_studio_is_offered_to_those_who_may_open_it(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.VIEWER)
    assert 'href="/studio/"' not in client.get("/").text

    sign_in(client, Role.CONTRIBUTOR)
    assert 'href="/studio/"' in client.get("/").text


def test_no_page_holds_an_inline_script_or_style(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title(genres=("Drama",))
    make.asset(title)
    sign_in(client)

    paths = ("/", f"/title/{title.slug}", f"/watch/{title.slug}", "/search", "/nowhere")
    for path in paths:
        page = client.get(path).text
        assert re.search(r"<script(?![^>]*\bsrc=)", page) is None
        assert re.search(r"\sstyle=|\son[a-z]+=|<style", page) is None


def _watch(
    make: Builders,
    settings: Settings,
    actor: Actor,
    title: Title,
    position: float | None,
    *,
    of: float,
) -> None:
    """Make the film of a title and let the actor have watched up to ``position``."""
    asset = make.asset(title, duration=of, heights=(), languages=())
    if position is not None:
        film = assets.by_id(make.db, asset.id)
        progress.save(make.db, settings, actor, film, position)


def _headings(page: str) -> list[str]:
    return re.findall(r'<h2 id="row-[^"]*">(.*?)</h2>', page)
