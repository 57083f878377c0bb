"""Captions for programs and for pages without scripts: API, forms, command."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.captions import editing, markup
from appliance.captions.cues import Captions, Cue
from appliance.db import Database
from appliance.errors import InvalidInput
from appliance.media import captions
from appliance.media.assets import Asset
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import Matinee, SignIn

SLUG = "the-film"
SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello <b>there</b>\n"
PATH = f"/api/v1/titles/{SLUG}/captions"
PAGE = f"/studio/titles/{SLUG}/captions"


@pytest.fixture
def film(make: Builders) -> Asset:
    return make.asset(make.title("The film", slug=SLUG), duration=60)


@pytest.fixture
def publisher(client: FlaskClient, sign_in: SignIn, film: Asset) -> FlaskClient:
    sign_in(client, Role.PUBLISHER)
    return client


def _added(publisher: FlaskClient) -> dict[str, Any]:
    answer = publisher.post(f"{PATH}?language=en&filename=en.srt", data=SRT)
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.get_json()["captions"]
    return found


def test_a_program_adds_reads_edits_shifts_and_removes_captions(
    publisher: FlaskClient,
) -> None:
    held = _added(publisher)
    one = f"{PATH}/{held['id']}"

    shown = publisher.get(one).get_json()
    assert shown["cues"] == [
        {
            "start": 1000,
            "end": 2000,
            "text": "Hello <b>there</b>",
            "settings": "",
            "unsure": False,
        }
    ]
    assert shown["findings"] == []
    assert shown["webvtt"].startswith("WEBVTT\n")
    cues = [{"start": 1000, "end": 2000, "text": "Hi <script>x</script>you"}]
    edited = publisher.put(one, json={"version": held["version"], "cues": cues})
    assert edited.get_json()["cues"][0]["text"] == "Hi you"
    shifted = publisher.post(f"{one}/shift", json={"milliseconds": 500})
    assert shifted.get_json()["cues"][0]["start"] == 1500
    [listed] = publisher.get(PATH).get_json()["captions"]
    assert listed["changed_by"].startswith("publisher")
    assert publisher.delete(one).status_code == 204
    assert publisher.get(PATH).get_json() == {"captions": []}


def test_a_program_learns_that_somebody_else_was_faster(
    publisher: FlaskClient,
) -> None:
    held = _added(publisher)
    one = f"{PATH}/{held['id']}"
    body = {
        "version": held["version"],
        "cues": [{"start": 0, "end": 900, "text": "Mine"}],
    }
    publisher.post(f"{one}/shift", json={"milliseconds": 500})

    answer = publisher.put(one, json=body)

    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (409, "captions.changed")
    assert problem["version"] != held["version"]
    assert (
        publisher.put(one, json=body | {"version": problem["version"]}).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("query", "data", "code"),
    [
        ("language=en", b"\x00\x01" * 400, "captions.binary"),
        ("language=en", b"x" * 4_200_000, "http.413"),
        ("language=english", SRT.encode(), "captions.language"),
        ("language=en&encoding=klingon", SRT.encode(), "captions.encoding"),
    ],
)
def test_a_program_is_told_what_is_wrong_with_a_file(
    publisher: FlaskClient, query: str, data: bytes, code: str
) -> None:
    answer = publisher.post(f"{PATH}?{query}", data=data)

    assert answer.status_code in (400, 413, 422)
    assert answer.get_json()["code"] == code


@pytest.mark.parametrize(
    "cues",
    [
        [],
        [{"start": 5, "end": 4, "text": "Back"}],
        [{"start": -1, "end": 4, "text": "Before"}],
        [{"start": 0, "end": 10**12, "text": "For ever"}],
        [{"start": 0, "end": 1000, "text": "<i></i>"}],
        [{"start": 0.5, "end": 1000, "text": "Half"}],
        [{"start": 0, "end": 1000, "text": "x" * 2001}],
        [{"start": 0, "end": 1000}],
        "cues",
    ],
)
def test_cues_that_make_no_sense_change_nothing(
    publisher: FlaskClient, cues: object
) -> None:
    held = _added(publisher)
    body = {"version": held["version"], "cues": cues}

    answer = publisher.put(f"{PATH}/{held['id']}", json=body)

    assert answer.status_code in (400, 422)
    [now] = publisher.get(PATH).get_json()["captions"]
    assert now["version"] == held["version"]


def test_without_a_model_a_program_is_told_what_to_do(publisher: FlaskClient) -> None:
    answer = publisher.post(f"{PATH}/make", json={})

    assert answer.status_code in (409, 412, 503)
    assert answer.get_json()["code"] == "speech.off"
    assert "speech.model" in publisher.get(PAGE).text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CONTRIBUTOR])
def test_captions_of_others_titles_are_nobody_s_business(
    client: FlaskClient, sign_in: SignIn, film: Asset, role: Role
) -> None:
    sign_in(client, role)

    answers = [
        client.get(PATH),
        client.post(f"{PATH}?language=en", data=SRT),
        client.get(PAGE),
        client.get(f"{PAGE}/any.vtt"),
        client.post(f"{PAGE}/any", json={}),
    ]

    assert {answer.status_code for answer in answers} <= {403, 404}


def _upload(publisher: FlaskClient, data: bytes, **fields: str) -> Any:
    """Send the form as browsers do. Flask's client would leave a large file open."""
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'
        for name, value in {"language": "de", "role": "subtitle", **fields}.items()
    ]
    file = 'name="file"; filename="de.srt"\r\nContent-Type: text/plain\r\n\r\n'
    parts.append(f"--cut\r\nContent-Disposition: form-data; {file}")
    return publisher.post(
        PAGE,
        data="\r\n".join(parts).encode() + data + b"\r\n--cut--\r\n",
        content_type="multipart/form-data; boundary=cut",
    )


def test_everything_can_be_done_without_scripts(
    publisher: FlaskClient, db: Database
) -> None:
    added = _upload(publisher, SRT.encode() + b"\n9\n1:99 --> 1:100\nNever\n")
    assert added.status_code == 302
    page = publisher.get(added.location).text
    assert "A time that makes no sense" in page
    [held] = captions.listing(db, SYSTEM, SLUG)
    one = f"{PAGE}/{held.id}"

    seen = {"version": held.version}
    shifted = publisher.post(f"{one}/shift", data=seen | {"seconds": "1,5"})
    assert shifted.status_code == 302
    stale = publisher.post(f"{one}/shift", data=seen | {"seconds": "1,5"})
    assert stale.status_code == 409
    assert "Somebody changed these captions" in stale.text
    described = {"language": "de-AT", "name": "Wien", "role": "caption"}
    assert publisher.post(f"{one}/describe", data=described).status_code == 302
    exported = publisher.get(f"{one}.srt")
    assert "00:00:02,500 --> 00:00:03,500" in exported.text
    assert "the-film.de-AT.srt" in exported.headers["Content-Disposition"]
    another = {
        "file": (io.BytesIO(b"WEBVTT\n\n00:01.000 --> 00:02.000\nNeu\n"), "n.vtt")
    }
    assert publisher.post(f"{one}/replace", data=another).status_code == 302
    assert "Neu" in publisher.get(f"{one}.vtt").text
    assert "Remove the captions" in publisher.get(f"{one}/remove").text
    assert publisher.post(f"{one}/remove").status_code == 302
    assert captions.listing(db, SYSTEM, SLUG) == []


def test_what_was_typed_stays_beside_a_refusal(publisher: FlaskClient) -> None:
    refused = _upload(publisher, b"no captions", name="Untertitel", role="caption")

    assert refused.status_code == 400
    assert "none of SRT, WebVTT, ASS and TTML" in refused.text
    assert 'value="Untertitel"' in refused.text
    assert '<option value="caption" selected>' in refused.text


def test_ten_megabytes_are_refused_in_a_sentence(publisher: FlaskClient) -> None:
    refused = _upload(publisher, b"x" * 10_000_000)

    assert refused.status_code == 400
    assert "is not read" in refused.text


@pytest.mark.parametrize(
    "payload",
    [
        "Salt &amp; pepper, 3 &lt; 4 &gt; 2",
        "&lt;i&gt; is a tag",
        "<i>&amp;lt;</i>",
        "<v Ann &amp; Bob>Hi</v>",
        "&amp;#60;",
        "AT&amp;T",
    ],
)
def test_what_the_editor_shows_is_kept_as_it_was(payload: str) -> None:
    assert markup.clean(payload) == payload
    assert markup.clean(editing.typed(payload)) == payload


def test_the_editor_s_rows_give_the_same_captions_again() -> None:
    found = Captions(
        (
            Cue(0, 900, "One &amp; two", "line:0 region:up", unsure=True),
            Cue(1000, 2000, "<i>three</i>"),
        ),
        ("id:up\nwidth:40%",),
    )

    assert editing.captions(editing.rows(found), found.regions) == found
    with pytest.raises(InvalidInput):
        editing.captions([[True, 2, "x", "", False, 1]])


def test_the_command_does_what_the_studio_does(
    matinee: Matinee, film: Asset, tmp_path: Path
) -> None:
    file = tmp_path / "film.srt"
    file.write_text(SRT)

    added = matinee("captions", "add", SLUG, str(file), "--language", "en")
    assert "English" in added.stdout, added.output
    moved = matinee("captions", "shift", SLUG, "en", "--by", "-0.5", "--json")
    assert json.loads(moved.stdout)["language"] == "en"
    exported = matinee("captions", "export", SLUG, "en", "--format", "srt").stdout
    assert "00:00:00,500 --> 00:00:01,500" in exported
    assert "Nothing" in matinee("captions", "lint", SLUG, "en").stderr
    listed = json.loads(matinee("captions", "list", SLUG, "--json").stdout)
    assert [each["label"] for each in listed] == ["English"]
    refused = matinee("captions", "review", SLUG, "en")
    assert (refused.exit_code, "only once" in refused.stderr) == (1, True) or (
        "reviewed" in refused.stderr
    )
    assert "speech.model" in matinee("captions", "make", SLUG).stderr
    assert matinee("captions", "remove", SLUG, "en", "--yes").exit_code == 0
    assert json.loads(matinee("captions", "list", SLUG, "--json").stdout) == []
    assert "list" in matinee("captions", "lint", SLUG, "fr").stderr


def test_the_doctor_says_whether_a_machine_makes_captions(
    matinee: Matinee, tmp_path: Path
) -> None:
    config = tmp_path / "matinee.toml"
    config.write_text(f'[speech]\nmodel = "/no/such"\nsha256 = "{"0" * 64}"\n')

    def said(*options: str) -> str:
        found = json.loads(matinee(*options, "doctor", "--json").stdout)["checks"]
        level: str = next(each for each in found if each["id"] == "tools.speech")[
            "level"
        ]
        return level

    assert said() == "ok"
    assert said("--config", str(config)) == "warn"
