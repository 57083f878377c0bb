"""An installation with a protected film that must survive, and a viewer who checks it.

What the viewer gets is decrypted with the key that the licence door gives, and compared
picture by picture.
"""

import base64
import json
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.permissions import Role
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.tools import encrypted, ffmpeg
from tests.browser import films
from tests.browser.live_portal import LivePortal
from tests.builders import PASSWORD, Builders
from tests.pipeline.served_home import MATINEE, ServedHome

VIEWER = "vera"
_SECONDS = 60


def furnish(settings: Settings, scratch: Path) -> Title:
    """Put a viewer and a short protected film into a home."""
    settings.media.mkdir(parents=True, exist_ok=True)
    storage = Storage(settings.media)
    scratch.mkdir()
    with closing(Database(settings.database)) as db:
        portal = LivePortal("", settings, db, storage, Builders(db, settings, storage))
        portal.make.account(VIEWER, roles=(Role.VIEWER,))
        return films.publish(portal, scratch, protected=True, seconds=8)


def command(served: ServedHome, *args: str, words: str = "") -> Any:
    """Run a command of that installation and return the document that it prints."""
    return told(served.environment, *args, words=words)


def told(environ: Mapping[str, str], *args: str, words: str = "") -> Any:
    """Run a command and return the document that it prints."""
    done = subprocess.run(
        [MATINEE, "--json", *args],
        env=environ,
        input=words.encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def watched(url: str, slug: str, folder: Path) -> list[str]:
    """Watch a film as its viewer; return a digest of every decrypted picture."""
    browser = requests.Session()
    browser.headers["Authorization"] = f"Bearer {_signed_in(browser, url)}"
    opened = _json(
        browser.post(
            urljoin(url, "/api/v1/playback"),
            json={"title": slug, "device": "test"},
            timeout=_SECONDS,
        )
    )
    whole = folder / "watched.mp4"
    init = _downloaded(browser, urljoin(url, opened["manifests"]["hls"]), whole)
    (folder / "init.mp4").write_bytes(init)
    track = encrypted.track(folder / "init.mp4")
    assert track is not None
    key = _key(url, opened, track.kid)
    listing = subprocess.run(
        [
            *(ffmpeg.OWN_FFMPEG, "-v", "error", "-decryption_key", key, "-i", whole),
            *("-f", "framemd5", "-"),
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    assert listing.stderr == ""
    lines = [each for each in listing.stdout.splitlines() if not each.startswith("#")]
    return [each.split(",")[5].strip() for each in lines]


def _signed_in(browser: requests.Session, url: str) -> str:
    words = {"username": VIEWER, "password": PASSWORD}
    answer = browser.post(
        urljoin(url, "/api/v1/auth/token"), json=words, timeout=_SECONDS
    )
    token: str = _json(answer)["token"]
    return token


def _downloaded(browser: requests.Session, master: str, whole: Path) -> bytes:
    """Write all segments of the first picture into one file; return the init part."""
    playlist = next(
        urljoin(master, line)
        for line in _text(browser, master).splitlines()
        if line and not line.startswith("#")
    )
    lines = _text(browser, playlist).splitlines()
    start = next(line for line in lines if line.startswith("#EXT-X-MAP:"))
    init = _bytes(browser, urljoin(playlist, start.split('URI="')[1].split('"')[0]))
    segments = [urljoin(playlist, each) for each in lines if not each.startswith("#")]
    with whole.open("wb") as file:
        file.write(init)
        for each in filter(None, segments):
            file.write(_bytes(browser, each))
    return init


def _key(url: str, opened: Mapping[str, Any], kid: str) -> str:
    wanted = base64.urlsafe_b64encode(bytes.fromhex(kid)).rstrip(b"=").decode()
    answer = requests.post(
        urljoin(url, opened["drm"]["org.w3.clearkey"]),
        json={"kids": [wanted], "type": "temporary"},
        headers={"Authorization": f"Bearer {opened['token']}"},
        timeout=_SECONDS,
    )
    (found,) = _json(answer)["keys"]
    return base64.urlsafe_b64decode(found["k"] + "==").hex()


def _json(answer: requests.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()


def _text(browser: requests.Session, url: str) -> str:
    return _bytes(browser, url).decode()


def _bytes(browser: requests.Session, url: str) -> bytes:
    answer = browser.get(url, timeout=_SECONDS)
    assert answer.status_code == 200, f"{url}: {answer.status_code} {answer.text}"
    return answer.content
