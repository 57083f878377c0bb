"""What our manifests say of keys, read by a player of others in a real browser."""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from appliance.cenc import KeySystem, Label, Scheme
from appliance.delivery import dash, hls, playlists
from appliance.delivery.signalling import KeySignals, Signalling
from appliance.protection import boxes
from tests.browser import key_server
from tests.browser.key_server import KeyServer
from tests.core import packaged
from tests.core.packaged import KEYS, Film

pytestmark = [pytest.mark.browser, pytest.mark.media]

_KIDS = sorted(kid for kid, _key in KEYS.values())
_DEADLINE_SECONDS = 20
_MANIFESTS = {"dash": "manifest.mpd", "hls": "master.m3u8"}
_PLAY = """
async (address) => {
    window.errors = [];
    shaka.polyfill.installAll();
    const video = document.querySelector("video");
    window.player = new shaka.Player();
    player.addEventListener("error", (event) => errors.push(event.detail.code));
    await player.attach(video);
    // The test changes the rendition itself.
    player.configure({ abr: { enabled: false } });
    try {
        // Shortly before the clear beginning ends, where there is one.
        await player.load(address, 3);
        await video.play();
    } catch (error) {
        errors.push(error.code);
    }
}
"""
_STATE = """
() => {
    const video = document.querySelector("video");
    return {
        time: video.currentTime,
        height: video.videoHeight,
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        errors,
    };
}
"""
_CHANGE = """
() => {
    const tracks = player.getVariantTracks();
    const other = tracks.find((track) => !track.active);
    player.selectVariantTrack(other, true);
    return other.height;
}
"""


@pytest.fixture(scope="module", params=list(Scheme))
def film(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Film:
    """A film with three keys; under cbcs its first segments are clear."""
    scheme: Scheme = request.param
    lead = 4 if scheme is Scheme.CBCS else 0
    return packaged.make(tmp_path_factory.mktemp(scheme), scheme, lead)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def _signalling(
    film: Film, systems: tuple[KeySystem, ...], **others: Any
) -> Signalling:
    """Return what is said with boxes of our own for every key of the film."""
    told = {}
    for track in film.tracks:
        if track.kid and track.scheme:
            own = boxes.KeyBoxes(track.kid, "local", "{}")
            found = own.of_systems(_KIDS, track.scheme)
            told[track.kid] = KeySignals(
                {system: _text(box) for system, box in found.items()},
                _text(boxes.playready_object(found.get(KeySystem.PLAYREADY, b""))),
                f"skd://{track.kid}",
            )
    box = _text(boxes.clearkey(_KIDS))
    return Signalling(systems, told, box, "/licence/clearkey")


def _text(box: bytes) -> str:
    return base64.b64encode(box).decode()


@contextmanager
def _playing(
    page: Page, film: Film, format: str, said: Signalling, keys: dict[str, str]
) -> Iterator[KeyServer]:
    """Write the manifests beside the tracks, and let a page play the film."""
    folder = film.folder
    (folder / "hls").mkdir(exist_ok=True)
    (folder / "master.m3u8").write_text(hls.multivariant(film.tracks, said))
    mpd = dash.manifest(film.tracks, film.duration, said)
    (folder / "manifest.mpd").write_text(mpd)
    for track in film.tracks:
        text = playlists.media(track, film.duration, said)
        (folder / "hls" / f"{track.public_id}.m3u8").write_text(text)
    with key_server.serving(folder, keys) as server:
        page.goto(server.url)
        page.evaluate(_PLAY, f"{server.url}/film/{_MANIFESTS[format]}")
        yield server


def _until(page: Page, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        state: dict[str, Any] = page.evaluate(_STATE)
        if wanted(state):
            return state
        assert time.monotonic() < deadline, state
        page.wait_for_timeout(50)


@pytest.mark.parametrize("format", list(_MANIFESTS))
@pytest.mark.parametrize(
    "systems", [(KeySystem.CLEARKEY,), tuple(KeySystem)], ids=["clearkey", "all"]
)
def test_shaka_player_opens_every_rendition_and_changes_between_them(
    page: Page, film: Film, format: str, systems: tuple[KeySystem, ...]
) -> None:
    said = _signalling(film, systems)

    with _playing(page, film, format, said, dict(KEYS.values())) as server:
        first = _until(page, lambda state: state["time"] > 4.2 or state["errors"])
        other = page.evaluate(_CHANGE)
        change = _until(page, lambda state: state["height"] == other or state["errors"])
        goal = change["time"] + 0.5
        last = _until(page, lambda state: state["time"] > goal or state["errors"])

    assert last["errors"] == []
    assert {first["height"], last["height"]} == {90, 180}
    if format == "dash":
        # One licence for all keys: a change of rendition waits for none.
        assert server.licences == [_KIDS]
    else:
        assert sorted(server.fetched) == _KIDS
        assert server.licences == []


def test_a_licence_without_the_sharp_key_leaves_the_lower_rendition(
    page: Page, film: Film
) -> None:
    keys = {kid: key for kid, key in KEYS.values() if kid != KEYS[Label.HD][0]}

    with _playing(
        page, film, "dash", _signalling(film, (KeySystem.CLEARKEY,)), keys
    ) as server:
        last = _until(page, lambda state: state["time"] > 4.5 or state["errors"])

    assert last["errors"] == []
    assert last["height"] == 90
    assert server.licences == [_KIDS]


@pytest.mark.parametrize("format", list(_MANIFESTS))
def test_a_title_without_clearkey_does_not_play_in_a_browser_that_has_nothing_else(
    page: Page, film: Film, format: str
) -> None:
    others = (KeySystem.WIDEVINE, KeySystem.PLAYREADY, KeySystem.FAIRPLAY)
    said = _signalling(film, others)

    with _playing(page, film, format, said, dict(KEYS.values())) as server:
        last = _until(page, lambda state: state["errors"])

    assert last["errors"] == [6001]
    assert last["frames"] == 0
    assert (server.licences, server.fetched) == ([], [])
