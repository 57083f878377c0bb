"""A busy run through the real nginx: one id leads through it, and no secret stays."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from appliance.catalog.titles import Title
from appliance.events import Event, before
from appliance.permissions import Role
from tests import media_samples
from tests.browser import films
from tests.builders import PASSWORD
from tests.host.served_nginx import Stack, settled, stack

pytestmark = pytest.mark.media
_MISTYPED = "my-mistyped-password-4711"
_SETUP = "a-link-for-setting-up-which-nobody-may-see-0123456789"
_ID = re.compile("[0-9a-f]{32}")
_OWN = {
    "MATINEE_MONITORING_LOG_FORMAT": "json",
    "MATINEE_MONITORING_LOG_LEVEL": "debug",
}


@dataclass
class Busy:
    """What was done, and the secrets that were used for it."""

    served: Stack
    locked: Title
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.served.portal.settings.home

    def post(self, path: str, **extra: Any) -> requests.Response:
        return requests.post(self.served.url + path, timeout=60, **extra)

    def logs(self) -> dict[str, str]:
        """Return all that was logged, with what nginx has held back."""
        self.served.nginx.logged("portal.log", 1)
        found = [*self.home.glob("*.log"), *(self.home / "log").glob("*.log")]
        return {path.name: path.read_text(errors="replace") for path in found}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    home = tmp_path_factory.mktemp("busy") / "home"
    with stack(home, **_OWN) as served:
        served.portal.make.account("viewer", roles=(Role.VIEWER,))
        served.portal.make.account("editor", roles=(Role.PUBLISHER,))
        locked = films.publish(
            served.portal, tmp_path_factory.mktemp("film"), protected=True, seconds=8
        )
        found = Busy(served, locked)
        _sign_in(found)
        _watch(found)
        _stumble(found)
        yield found


def _sign_in(busy: Busy) -> None:
    """By the form and by the API, also with a password that is wrong."""
    browser = requests.Session()
    page = browser.get(f"{busy.served.url}/login", timeout=60).text
    (form,) = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)[:1]
    typed = {"csrf_token": form, "username": "viewer"}
    for password in (_MISTYPED, PASSWORD):
        browser.post(
            f"{busy.served.url}/login", data=typed | {"password": password}, timeout=60
        )
    busy.secrets["cookie"] = browser.cookies["matinee_session"]
    busy.secrets |= {"form": form, "mistyped": _MISTYPED, "password": PASSWORD}
    busy.post("/api/v1/auth/token", json={"username": "viewer", "password": _MISTYPED})
    told = busy.post(
        "/api/v1/auth/token", json={"username": "viewer", "password": PASSWORD}
    ).json()
    busy.secrets["bearer"] = told["token"]


def _bearer(busy: Busy) -> dict[str, str]:
    return {"Authorization": f"Bearer {busy.secrets['bearer']}"}


def _watch(busy: Busy) -> None:
    """Play a protected film, with its tokens in headers, paths and queries."""
    opened = busy.post(
        "/api/v1/playback", json={"title": busy.locked.slug}, headers=_bearer(busy)
    ).json()
    busy.secrets["playback token"] = opened["token"]
    busy.secrets["media token"] = opened["media_token"]
    nginx, master = busy.served.nginx, opened["manifests"]["hls"]
    text = nginx.get(master).text
    names = re.findall(r"hls/[0-9a-f]{16}\.m3u8", text)
    assert names
    media = nginx.get(f"{master.rsplit('/', 1)[0]}/{names[0]}").text
    for part in re.findall(r"^[^#\s].*$", media, re.MULTILINE)[:2]:
        address = requests.compat.urljoin(f"{master.rsplit('/', 1)[0]}/hls/x", part)
        assert nginx.get(address).status_code == 200
    kids = busy.served.portal.db.rows(
        "select distinct kid from tracks where kid is not null"
    )
    wanted = [
        base64.urlsafe_b64encode(bytes.fromhex(each["kid"])).decode().rstrip("=")
        for each in kids
    ]
    door = opened["drm"]["org.w3.clearkey"]
    for address, headers in (
        (door, {"Authorization": f"Bearer {opened['token']}"}),
        (f"{door}?token={opened['token']}", {}),
    ):
        licence = busy.post(address, json={"kids": wanted}, headers=headers)
        assert licence.status_code == 200
    busy.secrets["content key"] = licence.json()["keys"][0]["k"]
    padded = busy.secrets["content key"] + "=="
    busy.secrets["content key, hex"] = base64.urlsafe_b64decode(padded).hex()
    for kid in kids:
        nginx.get(f"/media/{opened['media_token']}/{opened['asset']}/key/{kid['kid']}")
    session = f"/api/v1/playback/{opened['session']}/heartbeat"
    told = busy.post(session, json={"seq": 1, "position": 1}, headers=_bearer(busy))
    busy.secrets["fresh token"] = told.json()["token"]


def _stumble(busy: Busy) -> None:
    """Everything that goes wrong is logged with more words than what goes well."""
    nginx, token = busy.served.nginx, busy.secrets["media token"]
    playback = busy.secrets["playback token"]
    busy.secrets["setup"] = _SETUP
    nginx.get(f"/setup/{_SETUP}")
    nginx.get(f"/media/{token}/0000000000000000/master.m3u8")
    nginx.get(f"//media//{token}/x")
    nginx.get(f"/nothing?token={playback}")
    nginx.get("/api/v1/titles", headers={"Authorization": "Bearer " + "x" * 9000})
    busy.post("/licence/clearkey", json=[], params={"token": playback})
    busy.served.stop_web()
    for path in (f"/media/{token}/0000000000000000/master.m3u8", "/", "/api/v1/titles"):
        nginx.get(path, headers=_bearer(busy))
    busy.post("/licence/clearkey", json={}, params={"token": playback})
    busy.served.start_web()


def test_no_secret_stands_in_any_log(busy: Busy) -> None:
    logs = busy.logs()

    assert {"portal.log", "media.log", "nginx-error.log", "web.log"} <= logs.keys()
    assert len(logs["portal.log"].splitlines()) > 15
    leaked = [
        (what, name)
        for what, secret in busy.secrets.items()
        for name, text in logs.items()
        if secret in text
    ]
    assert leaked == []


def test_the_audit_log_holds_none_either(busy: Busy) -> None:
    rows = busy.served.portal.db.rows("select * from events")
    text = json.dumps(rows)

    assert len(rows) > 5
    assert [what for what, secret in busy.secrets.items() if secret in text] == []


def test_one_id_leads_from_nginx_over_the_answer_to_the_audit_log(busy: Busy) -> None:
    foreign = "f" * 32

    answer = busy.post(
        "/api/v1/playback",
        json={"title": busy.locked.slug},
        headers=_bearer(busy) | {"X-Request-Id": foreign},
    )

    request = answer.headers["X-Request-Id"]
    assert _ID.fullmatch(request)
    assert request != foreign
    (line,) = busy.served.nginx.logged("portal.log", 1, request=request)
    assert (line["path"], line["status"]) == ("/api/v1/playback", 201)
    newest = before(busy.served.portal.db, name=Event.PLAYBACK_START, limit=1)
    assert newest[0].request == request
    assert foreign not in "".join(busy.logs().values())


def test_what_nginx_says_itself_names_the_request(busy: Busy) -> None:
    nginx = busy.served.nginx
    for path in ("/media/x/y", "/internal/map/1"):
        answer = nginx.get(path, headers={"Accept": "application/json"})
        assert answer.json()["request"] == answer.headers["X-Request-Id"]
        assert _ID.fullmatch(answer.headers["X-Request-Id"])
    problem = nginx.get("/api/v1/nothing-here")
    assert problem.json()["request"] == problem.headers["X-Request-Id"]


def test_an_upload_leads_to_the_lines_of_ffmpeg(busy: Busy, tmp_path: Path) -> None:
    clip = media_samples.film(tmp_path, seconds=2, size="128x96").read_bytes()
    headers = _editor(busy) | {"Tus-Resumable": "1.0.0"}
    begun = busy.post(
        "/studio/uploads",
        headers=headers
        | {
            "Upload-Length": str(len(clip)),
            "Upload-Metadata": f"filename {base64.b64encode(b'clip.mp4').decode()}",
        },
    )
    assert begun.status_code == 201, begun.text
    sent = requests.patch(
        busy.served.url + begun.headers["Location"],
        data=clip,
        headers=headers
        | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
        timeout=60,
    )
    assert sent.status_code == 204, sent.text
    request = sent.headers["X-Request-Id"]

    with (busy.home / "worker.log").open("ab") as log:
        worker = subprocess.Popen(
            [
                Path(sys.executable).with_name("matinee"),
                "worker",
                "--control",
                "--media",
            ],
            env={**os.environ, **busy.served.environ},
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        lines = settled(lambda: _of_ffmpeg(busy.home / "worker.log", request), "ffmpeg")
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)

    commands = [line for line in lines if line["level"] == "info"]
    assert commands
    assert all(line["job"] and line["unit"] for line in lines)
    assert busy.logs().keys() >= {"worker.log"}
    test_no_secret_stands_in_any_log(busy)


def _editor(busy: Busy) -> dict[str, str]:
    told = busy.post(
        "/api/v1/auth/token", json={"username": "editor", "password": PASSWORD}
    ).json()
    busy.secrets["editor's token"] = told["token"]
    return {"Authorization": f"Bearer {told['token']}"}


def _of_ffmpeg(path: Path, request: str) -> list[dict[str, Any]]:
    """Return the lines of encoders of this request; every line must be JSON."""
    whole = path.read_text().rpartition("\n")[0].splitlines()
    told = [json.loads(line) for line in whole]
    own = [line for line in told if line.get("request") == request]
    return own if any("ffmpeg" in line["message"] for line in own) else []


def test_every_line_of_our_processes_is_a_document(busy: Busy) -> None:
    for name in ("portal.log", "media.log", "web.log"):
        for line in busy.logs()[name].splitlines():
            assert isinstance(json.loads(line), dict), line
