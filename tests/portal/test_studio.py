"""The Studio's titles: what is shown, changed and moved, and by whom."""

import io

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from appliance.catalog import artwork, titles
from appliance.db import Database
from appliance.permissions import SYSTEM, Role
from appliance.storage import Storage
from tests.builders import Builders
from tests.conftest import SignIn

# The pages of the Studio, and who is turned away from them.
PAGES = (
    ("/studio/", Role.CONTRIBUTOR),
    ("/studio/upload", Role.CONTRIBUTOR),
    ("/studio/jobs", Role.CONTRIBUTOR),
    ("/studio/protection", Role.CONTRIBUTOR),
    ("/studio/playing", Role.ADMINISTRATOR),
    ("/studio/accounts", Role.ADMINISTRATOR),
    ("/studio/accounts/new", Role.ADMINISTRATOR),
    ("/studio/audit", Role.ADMINISTRATOR),
)
LADDER = (Role.VIEWER, Role.CONTRIBUTOR, Role.PUBLISHER, Role.ADMINISTRATOR)


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status}"
    return answer.get_data(as_text=True)


@pytest.mark.parametrize(("path", "least"), PAGES)
@pytest.mark.parametrize("role", LADDER)
def test_a_page_opens_for_those_who_work_there(
    client: FlaskClient, sign_in: SignIn, path: str, least: Role, role: Role
) -> None:
    sign_in(client, role)

    allowed = LADDER.index(role) >= LADDER.index(least)
    assert client.get(path).status_code == (200 if allowed else 403)


@pytest.mark.parametrize(("path", "least"), PAGES)
def test_a_stranger_is_asked_to_sign_in(
    client: FlaskClient, path: str, least: Role
) -> None:
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")


def test_an_empty_library_says_how_to_begin(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.CONTRIBUTOR)

    page = text(client, "/studio/")

    assert "Your library is empty" in page
    assert "/studio/upload" in page


def test_the_list_is_filtered_by_state_and_words(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    make.title("Orchard", state="published")
    make.title("Harvest", state="ready", synopsis="In the orchard, at night.")
    make.title("Night Shift", state="draft")

    def listed(query: str) -> list[str]:
        page = text(client, f"/studio/?{query}")
        return [n for n in ("Orchard", "Harvest", "Night Shift") if f">{n}</a>" in page]

    assert listed("") == ["Orchard", "Harvest", "Night Shift"]
    assert listed("state=ready") == ["Harvest"]
    assert listed("q=orchard") == ["Orchard", "Harvest"]
    assert listed("q=orchard&state=published") == ["Orchard"]
    assert listed("q=submarine") == []
    assert listed("state=nonsense&page=x") == ["Orchard", "Harvest", "Night Shift"]


def test_a_long_list_is_turned_page_by_page(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    for number in range(27):
        make.title(f"Film {number}", state="draft")

    first, second = text(client, "/studio/"), text(client, "/studio/?page=2")

    assert "Page 1 of 2" in first
    assert ">Film 26</a>" in first
    assert ">Film 1</a>" not in first
    assert ">Film 1</a>" in second
    assert "Page 2 of 2" in second


def test_a_title_that_failed_says_so_in_the_list(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    asset = make.asset(make.title("Broken", state="draft"), state="failed")
    make.job(asset, state="failed", error_message="The file is cut off: copy it again.")

    page = text(client, "/studio/")

    assert "Failed" in page
    assert "The file is cut off: copy it again." in page


def test_contributors_work_on_their_own_titles_only(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    actor = sign_in(client, Role.CONTRIBUTOR)
    own = make.title("Mine", state="draft", actor=actor)
    shown = make.title("Theirs", state="published")
    hidden = make.title("Secret", state="draft")

    assert client.get(f"/studio/titles/{own.slug}").status_code == 200
    assert client.get(f"/studio/titles/{shown.slug}").status_code == 403
    assert client.get(f"/studio/titles/{hidden.slug}").status_code == 404
    assert "Secret" not in text(client, "/studio/")


def test_the_description_of_a_title_is_changed(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Raw name", state="draft")

    answer = client.post(
        f"/studio/titles/{title.slug}",
        data={
            "name": "Big Buck Bunny",
            "synopsis": "A rabbit <b>strikes</b> back.",
            "year": "2008",
            "rating": "6",
            "language": "en",
            "genres": "Animation,  Short, animation,",
        },
        follow_redirects=True,
    )

    assert "Saved." in answer.get_data(as_text=True)
    changed = titles.by_id(db, title.id)
    assert (changed.name, changed.year, changed.rating) == ("Big Buck Bunny", 2008, "6")
    assert changed.genres == ("Animation", "Short")
    assert "A rabbit &lt;b&gt;strikes&lt;/b&gt; back." in answer.get_data(as_text=True)


def test_a_refused_description_keeps_what_was_typed(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("A name", state="draft")

    answer = client.post(
        f"/studio/titles/{title.slug}",
        data={"name": "Other", "synopsis": "Typed with care.", "year": "soon"},
    )

    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "The year is a number" in page
    assert 'aria-invalid="true"' in page
    assert "Typed with care." in page
    assert titles.by_id(db, title.id).name == "A name"


def test_the_form_of_a_script_is_answered_as_data(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("A name", state="draft")
    path, headers = f"/studio/titles/{title.slug}", {"Accept": "application/json"}

    saved = client.post(path, data={"name": "New"}, headers=headers)
    refused = client.post(path, data={"name": ""}, headers=headers)

    assert saved.get_json() == {"name": "New", "revision": title.revision + 1}
    assert refused.status_code == 400
    assert refused.get_json()["field"] == "name"


@pytest.mark.parametrize(
    ("before", "act", "after"),
    [
        ("ready", "publish", "published"),
        ("published", "unpublish", "ready"),
        ("ready", "archive", "archived"),
        ("archived", "restore", "draft"),
    ],
)
def test_a_title_is_moved_after_a_question(
    client: FlaskClient,
    sign_in: SignIn,
    make: Builders,
    db: Database,
    before: str,
    act: str,
    after: str,
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state=before)
    path = f"/studio/titles/{title.slug}/{act}"

    assert "Orchard" in text(client, path)
    assert titles.by_id(db, title.id).state == before
    answer = client.post(path)

    assert answer.location == f"/studio/titles/{title.slug}"
    assert titles.by_id(db, title.id).state == after


def test_a_draft_is_not_published(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="draft")

    answer = client.post(f"/studio/titles/{title.slug}/publish")

    assert answer.status_code == 409
    assert "upload one first" in answer.get_data(as_text=True)


def test_contributors_neither_publish_nor_remove(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    actor = sign_in(client, Role.CONTRIBUTOR)
    title = make.title("Mine", state="ready", actor=actor)
    path = f"/studio/titles/{title.slug}"

    assert client.post(f"{path}/publish").status_code == 403
    assert client.post(f"{path}/remove").status_code == 403
    page = text(client, path)
    assert "Publish" not in page
    assert "Remove" not in page


def test_a_title_goes_into_the_trash_and_from_there_for_good(
    client: FlaskClient, sign_in: SignIn, make: Builders, storage: Storage
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready")
    asset = make.asset(title)
    path = f"/studio/titles/{title.slug}/remove"

    assert "For 30 days" in text(client, path)
    page = client.post(path, follow_redirects=True).get_data(as_text=True)

    assert "“Orchard” is in the trash." in page
    assert storage.path(asset.source_path).exists()
    assert client.get(f"/studio/titles/{title.slug}").status_code == 404

    last = f"/studio/trash/{title.slug}/remove"
    assert "can’t be undone" in text(client, last)
    page = client.post(last, follow_redirects=True).get_data(as_text=True)

    assert "“Orchard” and its files are gone." in page
    assert not storage.path(asset.source_path).exists()


def test_a_poster_is_uploaded(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready")

    answer = client.post(
        f"/studio/titles/{title.slug}/artwork",
        data={"kind": "poster", "picture": (picture(), "../poster.png")},
        follow_redirects=True,
    )

    page = answer.get_data(as_text=True)
    poster = titles.by_id(db, title.id).poster
    assert "Poster, 2:3: replaced." in page
    assert f"/artwork/{poster}/640.jpg" in page
    with client.get(f"/artwork/{poster}/320.jpg") as shown:
        assert shown.mimetype == "image/jpeg"


@pytest.mark.parametrize("content", [b"", b"this is no picture"])
def test_what_is_no_picture_is_refused_in_a_sentence(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database, content: bytes
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready")

    answer = client.post(
        f"/studio/titles/{title.slug}/artwork",
        data={"kind": "poster", "picture": (io.BytesIO(content), "poster.png")},
        follow_redirects=True,
    )

    assert answer.status_code == 400
    assert 'class="note bad" role="alert"' in answer.get_data(as_text=True)
    assert titles.by_id(db, title.id).poster is None


def test_a_picture_of_a_camera_is_not_too_large(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready")
    large = picture((2200, 1600), noise=True)
    assert large.getbuffer().nbytes > 5_000_000

    # Werkzeug would put so much into a temporary file that it never closes.
    body, size, boundary = stream_encode_multipart(
        {"kind": "backdrop", "picture": FileStorage(large, "raw.png")},
        use_tempfile=False,
    )
    answer = client.post(
        f"/studio/titles/{title.slug}/artwork",
        input_stream=body,
        content_length=size,
        content_type=f"multipart/form-data; boundary={boundary}",
    )

    assert answer.status_code == 302
    assert titles.by_id(db, title.id).backdrop is not None


def test_a_frame_of_the_film_becomes_the_poster(
    client: FlaskClient,
    sign_in: SignIn,
    make: Builders,
    db: Database,
    storage: Storage,
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready")
    frame = storage.write("work/frame.png", picture().getvalue())
    candidate = artwork.add(
        db, storage, SYSTEM, title.id, "candidate", frame, origin="frame", seconds=37
    )
    path = f"/studio/titles/{title.slug}"

    assert "Frame at 0:37" in text(client, f"{path}/artwork")
    client.post(f"{path}/artwork/{candidate.public_id}", data={"kind": "poster"})

    assert titles.by_id(db, title.id).poster is not None


def picture(size: tuple[int, int] = (1280, 720), noise: bool = False) -> io.BytesIO:
    image = Image.effect_noise(size, 90) if noise else Image.new("RGB", size, "teal")
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG")
    file.seek(0)
    return file
